import type { ServiceInput } from "./service.ts";

export const airtable = {
  id: "airtable",
  name: "Airtable",
  category: "Cloud and data",
  description: "Read and update records in your Airtable bases.",
  docs_url: "https://support.airtable.com/docs/using-the-airtable-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: ["A connection that is not used for 60 days has to sign in again."],
  endpoint: { url: "https://mcp.airtable.com/mcp" },
  oauth: {
    clients: ["cimd", "dcr"],
    refresh: { rotation: "rotating", ttl_s: 3600, refresh_ttl_s: 5_184_000 },
  },
} satisfies ServiceInput;
