import type { ServiceInput } from "./service.ts";

export const monday = {
  id: "monday",
  name: "monday.com",
  category: "Project management",
  description: "Read and update monday.com boards, items and updates.",
  docs_url: "https://developer.monday.com/api-reference/docs/integrate-with-monday-mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: [
    "Its sign-in server moved in 2026: connections made before that have to sign in again.",
    "monday.com asks integrations for the public to be registered with it.",
  ],
  endpoint: { url: "https://mcp.monday.com/mcp" },
  oauth: {
    server: { issuer: "https://auth.monday.com/mcp" },
    clients: ["dcr"],
    token_auth_methods: ["client_secret_basic", "client_secret_post"],
  },
  key_modes: [
    {
      id: "personal-token",
      label: "Personal API token",
      fields: [{ name: "api_key", label: "Personal API token", secret: true }],
      validation: { kind: "mcp_initialize" },
      instructions: [
        "In monday.com click your picture, then Developers → My access tokens.",
        "Copy the token.",
      ],
    },
  ],
} satisfies ServiceInput;
