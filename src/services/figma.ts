import type { ServiceInput } from "./service.ts";

export const figma = {
  id: "figma",
  name: "Figma",
  category: "Design",
  description: "Bring Figma designs, variables and components into your assistant.",
  docs_url: "https://developers.figma.com/docs/figma-mcp-server/",
  status: "gated",
  verified: { on: "2026-11", by: "docs" },
  requirements: ["Figma must have approved the OAuth client of this deployment."],
  notes: ["Figma announces automatic registration and answers 403 to clients that it has not approved."],
  endpoint: { url: "https://mcp.figma.com/mcp" },
  oauth: {
    server: {
      authorization: "https://figma.com/oauth/mcp",
      token: "https://api.figma.com/v1/oauth/token",
    },
    clients: ["pre_registered"],
    scopes: ["mcp:connect"],
  },
} satisfies ServiceInput;
