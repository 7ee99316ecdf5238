import type { ServiceInput } from "./service.ts";

export const paypal = {
  id: "paypal",
  name: "PayPal",
  category: "Payments",
  description: "Create invoices and orders and look up transactions at PayPal.",
  docs_url: "https://developer.paypal.com/tools/mcp-server/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  warnings: ["Moves money: let your assistant ask before it acts."],
  endpoint: { url: "https://mcp.paypal.com/mcp" },
  oauth: { clients: ["dcr"] },
} satisfies ServiceInput;
