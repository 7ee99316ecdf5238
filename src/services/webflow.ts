import type { ServiceInput } from "./service.ts";

export const webflow = {
  id: "webflow",
  name: "Webflow",
  category: "Websites",
  description: "Edit Webflow sites, their pages and CMS content.",
  docs_url: "https://developers.webflow.com/mcp/reference/overview",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  endpoint: { url: "https://mcp.webflow.com/mcp" },
  oauth: { clients: ["dcr"] },
} satisfies ServiceInput;
