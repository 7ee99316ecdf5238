import type { ServiceInput } from "./service.ts";

export const clickup = {
  id: "clickup",
  name: "ClickUp",
  category: "Project management",
  description: "Read, create and update ClickUp tasks, lists and documents.",
  docs_url: "https://developer.clickup.com/docs/connect-an-ai-assistant-to-clickups-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: ["A sign-in cannot be renewed in the background: when it ends, sign in again."],
  endpoint: { url: "https://mcp.clickup.com/mcp" },
  oauth: { clients: ["dcr"], token_auth_methods: ["none"], refresh: { rotation: "none" } },
} satisfies ServiceInput;
