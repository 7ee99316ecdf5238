import type { ServiceInput } from "./service.ts";

export const github = {
  id: "github",
  name: "GitHub",
  category: "Development",
  description: "Work with GitHub repositories, issues, pull requests and actions.",
  docs_url: "https://github.com/github/github-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: [
    "An organisation may have to approve the token or the app before its repositories are visible.",
    "GitHub also serves single sets of tools below /mcp/x/; connect those as any MCP server.",
  ],
  endpoint: {
    url: "https://api.githubcopilot.com/mcp/",
    read_only_url: "https://api.githubcopilot.com/mcp/readonly",
  },
  oauth: {
    // Whether GitHub publishes authorization-server metadata is disputed, so nothing is discovered.
    discovery: "pinned",
    server: {
      issuer: "https://github.com/login/oauth",
      authorization: "https://github.com/login/oauth/authorize",
      token: "https://github.com/login/oauth/access_token",
    },
    clients: ["pre_registered"],
    own_client: {
      secret: "required",
      create_url: "https://github.com/settings/applications/new",
      instructions: [
        "Create an OAuth app with this deployment's callback address; copy its client id and secret.",
      ],
    },
    pkce: "supported",
    scopes: ["repo", "read:org", "read:user"],
    // Answered with status 200.
    permanent_errors: ["bad_refresh_token"],
    // A GitHub App's tokens. Those of an OAuth App may never expire and come without a refresh token.
    refresh: { rotation: "rotating", ttl_s: 28_800, refresh_ttl_s: 15_897_600 },
    revocation: {
      style: "own",
      request: {
        method: "DELETE",
        url: "https://api.github.com/applications/{client_id}/token",
        authentication: "client_basic",
        body: { access_token: "{access_token}" },
      },
      scope: "token",
      manage_url: "https://github.com/settings/applications",
    },
  },
  key_modes: [
    {
      id: "pat",
      label: "Personal access token",
      fields: [
        { name: "api_key", label: "Personal access token", secret: true, placeholder: "github_pat_…" },
      ],
      validation: {
        kind: "request",
        method: "GET",
        url: "https://api.github.com/user",
        header: { name: "Authorization", prefix: "Bearer" },
        // GitHub refuses requests without a User-Agent.
        headers: { "User-Agent": "bindify", Accept: "application/vnd.github+json" },
        expect: { status: 200 },
      },
      create_key_url: "https://github.com/settings/personal-access-tokens/new",
      instructions: [
        "Create a fine-grained token and choose the repositories and permissions that it needs.",
        "Copy the token: GitHub shows it once.",
      ],
    },
  ],
} satisfies ServiceInput;
