import type { ServiceInput } from "./service.ts";

export const cloudflare = {
  id: "cloudflare",
  name: "Cloudflare",
  category: "Cloud and data",
  description: "Inspect and manage Cloudflare zones, Workers and other resources.",
  docs_url: "https://developers.cloudflare.com/agents/model-context-protocol/mcp-servers-for-cloudflare/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  warnings: ["Can change live infrastructure. Give an API token only the permissions that are needed."],
  notes: [
    "Single products have servers of their own, such as bindings.mcp.cloudflare.com/mcp; connect those as any MCP server.",
    "The documentation server, docs.mcp.cloudflare.com, needs no sign-in.",
  ],
  endpoint: { url: "https://mcp.cloudflare.com/mcp" },
  oauth: { clients: ["dcr"] },
  key_modes: [
    {
      id: "api-token",
      label: "API token",
      fields: [{ name: "api_key", label: "API token", secret: true }],
      validation: { kind: "mcp_initialize" },
      create_key_url: "https://dash.cloudflare.com/profile/api-tokens",
      instructions: ["Create an API token with the permissions that are needed and copy it."],
    },
  ],
} satisfies ServiceInput;
