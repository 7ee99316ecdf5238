import type { ServiceInput } from "./service.ts";

export const vercel = {
  id: "vercel",
  name: "Vercel",
  category: "Cloud and data",
  description: "Look into Vercel projects, deployments and their logs.",
  docs_url: "https://vercel.com/docs/mcp/vercel-mcp",
  status: "gated",
  verified: { on: "2026-11", by: "docs" },
  requirements: ["Vercel must have approved the OAuth client of this deployment."],
  endpoint: { url: "https://mcp.vercel.com/" },
  oauth: { clients: ["pre_registered"] },
} satisfies ServiceInput;
