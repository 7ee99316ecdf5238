import type { ServiceInput } from "./service.ts";

export const wix = {
  id: "wix",
  name: "Wix",
  category: "Websites",
  description: "Manage Wix sites and business data, and search Wix's documentation.",
  docs_url: "https://dev.wix.com/docs/overview/ai-the-wix-platform/the-wix-mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: ["Wix also takes an API key with an account id, in two headers; that is not offered here."],
  endpoint: { url: "https://mcp.wix.com/mcp" },
  oauth: { clients: ["dcr"] },
} satisfies ServiceInput;
