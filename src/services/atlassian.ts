import type { ServiceInput } from "./service.ts";

export const atlassian = {
  id: "atlassian",
  name: "Atlassian",
  category: "Project management",
  description: "Search and edit Jira work items, Confluence pages and other Atlassian content.",
  docs_url: "https://support.atlassian.com/atlassian-rovo-mcp-server/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  requirements: [
    "To connect with a key, an organisation admin must have enabled API tokens for the MCP server.",
  ],
  endpoint: {
    url: "https://mcp.atlassian.com/v2/mcp",
    parameters: [
      {
        name: "tools",
        label: "Tools",
        pattern: "all",
        help: "tools=all lists every tool, as gateways need it.",
      },
    ],
  },
  oauth: {
    // The issuer has a path that only the resource metadata tells. The document at the MCP origin is out of date.
    origin_fallback: false,
    server: {
      authorization: "https://auth.atlassian.com/authorize",
      token: "https://auth.atlassian.com/oauth/token",
      revocation: "https://auth.atlassian.com/oauth/revoke",
    },
    clients: ["cimd", "dcr"],
    // Without offline_access no refresh token comes; the agent-interface scopes are in the metadata.
    scopes: ["read:me", "offline_access"],
    scopes_from_metadata: true,
    permanent_errors: ["unauthorized_client"],
    refresh: { rotation: "rotating", ttl_s: 3600 },
    revocation: {
      style: "rfc7009",
      url: "https://auth.atlassian.com/oauth/revoke",
      manage_url: "https://id.atlassian.com/manage-profile/apps",
    },
  },
  key_modes: [
    {
      id: "api-token",
      label: "Email and API token",
      fields: [
        {
          name: "email",
          label: "Email",
          secret: false,
          placeholder: "you@example.com",
          // A colon would end the user name early (RFC 7617 §2).
          pattern: "[^@:\\s]+@[^@:\\s]+",
          help: "The email address of your Atlassian account.",
        },
        { name: "api_token", label: "API token", secret: true },
      ],
      header: { name: "Authorization", prefix: "Basic" },
      assemble: { template: "{email}:{api_token}", encoding: "base64" },
      validation: { kind: "mcp_initialize" },
      create_key_url: "https://id.atlassian.com/manage-profile/security/api-tokens",
      instructions: [
        "Create an API token in your Atlassian account.",
        "Enter it with the account's email address.",
      ],
    },
    {
      id: "service-account",
      label: "Service account key",
      fields: [{ name: "api_key", label: "Service account API key", secret: true }],
      validation: { kind: "mcp_initialize" },
      instructions: ["Ask an organisation admin for the API key of a service account."],
    },
  ],
} satisfies ServiceInput;
