import type { ServiceInput } from "./service.ts";

export const zapier = {
  id: "zapier",
  name: "Zapier",
  category: "Automation",
  description: "Run the actions that you allowed in Zapier in thousands of apps.",
  docs_url: "https://docs.zapier.com/mcp/home",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  requirements: ["The actions that an assistant may run must be chosen at Zapier first."],
  notes: ["The older personal server addresses of Zapier, which hold a secret, are not offered here."],
  endpoint: { url: "https://mcp.zapier.com/api/v1/connect" },
  oauth: { clients: ["dcr"] },
} satisfies ServiceInput;
