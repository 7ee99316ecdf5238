import type { ServiceInput } from "./service.ts";

export const slack = {
  id: "slack",
  name: "Slack",
  category: "Communication",
  description: "Search Slack messages and files, read channels and post as yourself.",
  docs_url: "https://docs.slack.dev/ai/slack-mcp-server/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  requirements: [
    "A Slack app with MCP enabled must exist: this deployment's, or your own.",
    "A workspace admin may have to approve that app.",
  ],
  endpoint: { url: "https://mcp.slack.com/mcp" },
  oauth: {
    clients: ["pre_registered"],
    own_client: {
      secret: "required",
      create_url: "https://api.slack.com/apps",
      instructions: [
        "Create an internal app, add this deployment's callback address and user scopes, enable MCP.",
      ],
    },
    token_auth_methods: ["client_secret_post"],
    // A user's token may be nested beside the bot's.
    token_response_path: "authed_user",
  },
} satisfies ServiceInput;
