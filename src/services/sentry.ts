import type { ServiceInput } from "./service.ts";

export const sentry = {
  id: "sentry",
  name: "Sentry",
  category: "Development",
  description: "Look into errors, issues and traces that Sentry collected.",
  docs_url: "https://docs.sentry.io/product/sentry-mcp/",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  endpoint: { url: "https://mcp.sentry.dev/mcp" },
  // Announces `iss` (RFC 9207), so an answer without it is refused.
  oauth: { clients: ["cimd", "dcr"] },
} satisfies ServiceInput;
