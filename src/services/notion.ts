import type { ServiceInput } from "./service.ts";

export const notion = {
  id: "notion",
  name: "Notion",
  category: "Documents and files",
  description: "Search, read and write pages and databases in your Notion workspace.",
  docs_url: "https://developers.notion.com/docs/mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  endpoint: { url: "https://mcp.notion.com/mcp" },
  oauth: {
    server: {
      issuer: "https://mcp.notion.com",
      authorization: "https://mcp.notion.com/authorize",
      token: "https://mcp.notion.com/token",
      registration: "https://mcp.notion.com/register",
      revocation: "https://mcp.notion.com/token",
    },
    clients: ["cimd", "dcr"],
    pkce: "required",
    refresh: { rotation: "rotating", ttl_s: 3600, previous_stays_valid: true },
    revocation: { style: "rfc7009", url: "https://mcp.notion.com/token" },
  },
} satisfies ServiceInput;
