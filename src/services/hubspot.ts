import type { ServiceInput } from "./service.ts";

export const hubspot = {
  id: "hubspot",
  name: "HubSpot",
  category: "Customers and marketing",
  description: "Search and update contacts, companies, deals and tickets in HubSpot.",
  docs_url:
    "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/integrate-with-hubspot-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  requirements: ["An MCP auth app must exist in HubSpot: this deployment's, or your own."],
  endpoint: { url: "https://mcp.hubspot.com/" },
  oauth: {
    clients: ["pre_registered"],
    own_client: {
      secret: "required",
      create_url: "https://app.hubspot.com/l/mcp-auth-apps/",
      instructions: [
        "Create an MCP auth app with this deployment's callback address as its first redirect URL.",
      ],
    },
    pkce: "required",
  },
} satisfies ServiceInput;
