import type { ServiceInput } from "./service.ts";

export const linear = {
  id: "linear",
  name: "Linear",
  category: "Project management",
  description: "Find, create and update Linear issues, projects and comments.",
  docs_url: "https://linear.app/docs/mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: [
    "A personal API key acts with all of your rights in the workspace unless you narrow it when creating it.",
  ],
  endpoint: { url: "https://mcp.linear.app/mcp", read_only_url: "https://mcp.linear.app/mcp/readonly" },
  oauth: {
    // Its classic OAuth answers tokens of 24 h with 30 min of grace; the MCP server's own tokens are not described,
    // so nothing is assumed of them.
    server: {
      issuer: "https://mcp.linear.app",
      authorization: "https://mcp.linear.app/authorize",
      token: "https://mcp.linear.app/token",
      registration: "https://mcp.linear.app/register",
      revocation: "https://mcp.linear.app/token",
    },
    clients: ["cimd", "dcr"],
    scopes: ["read", "write"],
    revocation: {
      style: "rfc7009",
      url: "https://mcp.linear.app/token",
      manage_url: "https://linear.app/settings/account/security",
    },
  },
  key_modes: [
    {
      id: "api-key",
      label: "Personal API key",
      fields: [{ name: "api_key", label: "Personal API key", secret: true, placeholder: "lin_api_…" }],
      validation: {
        kind: "request",
        method: "POST",
        url: "https://api.linear.app/graphql",
        // The API takes a personal key bare, while the MCP server wants it as a bearer token.
        header: { name: "Authorization", prefix: "" },
        headers: { "Content-Type": "application/json" },
        body: '{"query":"{viewer{id}}"}',
        expect: { status: 200, json_path: "data.viewer.id" },
      },
      create_key_url: "https://linear.app/settings/account/security",
      instructions: [
        "In Linear open Settings → Security & access.",
        "Create a personal API key and copy it.",
      ],
    },
  ],
} satisfies ServiceInput;
