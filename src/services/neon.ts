import type { ServiceInput } from "./service.ts";

export const neon = {
  id: "neon",
  name: "Neon",
  category: "Cloud and data",
  description: "Manage Neon Postgres projects and branches and run queries.",
  docs_url: "https://neon.com/docs/ai/neon-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  warnings: ["Can change and delete databases."],
  endpoint: { url: "https://mcp.neon.tech/mcp" },
  oauth: { clients: ["dcr"] },
  key_modes: [
    {
      id: "api-key",
      label: "API key",
      fields: [{ name: "api_key", label: "API key", secret: true }],
      validation: {
        kind: "request",
        method: "GET",
        url: "https://console.neon.tech/api/v2/users/me",
        header: { name: "Authorization", prefix: "Bearer" },
        expect: { status: 200 },
      },
      create_key_url: "https://console.neon.tech/app/settings/api-keys",
      instructions: ["Create an API key in your Neon account settings and copy it."],
    },
  ],
} satisfies ServiceInput;
