import type { ServiceInput } from "./service.ts";

export const gitlab = {
  id: "gitlab",
  name: "GitLab",
  category: "Development",
  description: "Work with issues, merge requests and pipelines on GitLab.com.",
  docs_url: "https://docs.gitlab.com/user/gitlab_duo/model_context_protocol/mcp_server/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: ["A GitLab of your own has the same address below its own host; connect it as any MCP server."],
  endpoint: { url: "https://gitlab.com/api/v4/mcp" },
  oauth: {
    clients: ["dcr"],
    scopes: ["mcp"],
    refresh: { ttl_s: 7200 },
    revocation: { manage_url: "https://gitlab.com/-/user_settings/applications" },
  },
} satisfies ServiceInput;
