import type { ServiceInput } from "./service.ts";

export const asana = {
  id: "asana",
  name: "Asana",
  category: "Project management",
  description: "Read and update Asana tasks, projects and goals.",
  docs_url: "https://developers.asana.com/docs/integrating-with-asanas-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  requirements: [
    "An MCP app must exist in the Asana developer console: this deployment's, or your own.",
    "A workspace admin may have to allow that app.",
  ],
  notes: ["A connection reaches the one workspace that was chosen when signing in."],
  endpoint: { url: "https://mcp.asana.com/v2/mcp" },
  oauth: {
    clients: ["pre_registered"],
    own_client: {
      secret: "required",
      create_url: "https://app.asana.com/0/my-apps",
      instructions: ["Create an app of the type MCP app with this deployment's callback address."],
    },
  },
} satisfies ServiceInput;
