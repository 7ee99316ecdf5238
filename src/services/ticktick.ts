import type { ServiceInput } from "./service.ts";

export const ticktick = {
  id: "ticktick",
  name: "TickTick",
  category: "Project management",
  description: "Read, add and complete your TickTick tasks and lists.",
  docs_url: "https://help.ticktick.com/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: [
    "A sign-in lasts about 180 days and cannot be renewed in the background: sign in again when it ends.",
  ],
  endpoint: { url: "https://mcp.ticktick.com/" },
  oauth: {
    server: {
      issuer: "https://ticktick.com",
      authorization: "https://ticktick.com/oauth/authorize",
      token: "https://api.ticktick.com/oauth/token",
      registration: "https://api.ticktick.com/oauth/register",
    },
    // The resource metadata adds a slash that the issuer does not have.
    issuer_aliases: [{ advertised: "https://ticktick.com/", issuer: "https://ticktick.com" }],
    clients: ["dcr"],
    token_auth_methods: ["none"],
    scopes: ["tasks:read", "tasks:write"],
    refresh: { rotation: "none", ttl_s: 15_552_000 },
  },
  key_modes: [
    {
      id: "api-token",
      label: "API token",
      fields: [{ name: "api_key", label: "API token", secret: true }],
      validation: { kind: "mcp_initialize" },
      instructions: ["Create an API token in TickTick's settings on the web and copy it."],
    },
  ],
} satisfies ServiceInput;
