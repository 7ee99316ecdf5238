import type { ServiceInput } from "./service.ts";

export const square = {
  id: "square",
  name: "Square",
  category: "Payments",
  description: "Look up and manage payments, orders, customers and catalogue at Square.",
  docs_url: "https://developer.squareup.com/docs/mcp",
  status: "gated",
  verified: { on: "2026-11", by: "docs" },
  requirements: ["Square must have approved the redirect address of this deployment."],
  warnings: ["Can move money: let your assistant ask before it acts."],
  // The older transport with two addresses.
  endpoint: { url: "https://mcp.squareup.com/sse", transport: "sse" },
  oauth: { clients: ["dcr"], redirect: "allow_list" },
} satisfies ServiceInput;
