import type { ServiceInput } from "./service.ts";

export const intercom = {
  id: "intercom",
  name: "Intercom",
  category: "Customers and marketing",
  description: "Search Intercom conversations, contacts and help articles.",
  docs_url: "https://developers.intercom.com/docs/guides/mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  endpoint: { url: "https://mcp.intercom.com/mcp" },
  oauth: {
    // No resource metadata: the MCP origin is its own authorization server.
    clients: ["pre_registered", "dcr"],
    redirect: "allow_list",
    own_client: {
      secret: "required",
      instructions: ["Use the client id and secret of your own Intercom app."],
    },
  },
  key_modes: [
    {
      id: "access-token",
      label: "Access token",
      fields: [{ name: "api_key", label: "Access token", secret: true }],
      validation: { kind: "mcp_initialize" },
      instructions: ["Create an app in Intercom's Developer Hub and copy its access token."],
    },
  ],
} satisfies ServiceInput;
