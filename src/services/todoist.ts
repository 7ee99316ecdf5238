import type { ServiceInput } from "./service.ts";

export const todoist = {
  id: "todoist",
  name: "Todoist",
  category: "Project management",
  description: "Read, add, complete and organise your Todoist tasks and projects.",
  docs_url: "https://developer.todoist.com/api/v1/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: ["The API token gives full access to the account; signing in instead can be withdrawn on its own."],
  endpoint: { url: "https://ai.todoist.net/mcp" },
  oauth: {
    server: {
      issuer: "https://todoist.com",
      authorization: "https://todoist.com/oauth/authorize",
      token: "https://todoist.com/oauth/access_token",
      registration: "https://todoist.com/oauth/register",
      revocation: "https://api.todoist.com/api/v1/revoke",
    },
    clients: ["cimd", "dcr"],
    scopes: ["data:read_write"],
    scope_separator: ",",
    refresh: {
      rotation: "rotating",
      ttl_s: 3600,
      grace_s: 60,
      // A used refresh token after the grace ends every token of the app for that person.
      reuse: "revokes_app",
      grace_without_refresh_token: true,
    },
    revocation: {
      style: "rfc7009",
      url: "https://api.todoist.com/api/v1/revoke",
      manage_url: "https://app.todoist.com/app/settings/integrations",
    },
  },
  key_modes: [
    {
      id: "api-token",
      label: "API token",
      fields: [{ name: "api_key", label: "API token", secret: true }],
      validation: {
        kind: "request",
        method: "GET",
        url: "https://api.todoist.com/api/v1/user",
        header: { name: "Authorization", prefix: "Bearer" },
        expect: { status: 200 },
      },
      create_key_url: "https://app.todoist.com/app/settings/integrations/developer",
      instructions: ["In Todoist open Settings → Integrations → Developer.", "Copy the API token."],
    },
  ],
} satisfies ServiceInput;
