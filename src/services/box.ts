import type { ServiceInput } from "./service.ts";

export const box = {
  id: "box",
  name: "Box",
  category: "Documents and files",
  description: "Search and read Box files, and ask Box AI about them.",
  docs_url: "https://developer.box.com/guides/box-mcp/setup",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  requirements: ["A Box admin must enable the Box MCP server and create integration credentials."],
  endpoint: { url: "https://mcp.box.com/" },
  oauth: {
    clients: ["pre_registered"],
    own_client: {
      secret: "required",
      instructions: [
        "In the Box Admin Console open Integrations → Box MCP server → Configure and add integration credentials.",
        "Enter this deployment's callback address there; copy the client id and secret.",
      ],
    },
  },
} satisfies ServiceInput;
