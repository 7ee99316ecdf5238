import type { ServiceInput } from "./service.ts";

export const canva = {
  id: "canva",
  name: "Canva",
  category: "Design",
  description: "Create, find, edit and export Canva designs.",
  docs_url: "https://www.canva.dev/docs/apps/mcp/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  // Its resource metadata names another `resource` at the root than below /mcp: only the latter is this endpoint's.
  endpoint: { url: "https://mcp.canva.com/mcp" },
  oauth: { clients: ["cimd", "dcr"] },
} satisfies ServiceInput;
