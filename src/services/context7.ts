import type { ServiceInput } from "./service.ts";

export const context7 = {
  id: "context7",
  name: "Context7",
  category: "Development",
  description: "Fetch current documentation and examples of programming libraries.",
  docs_url: "https://github.com/upstash/context7",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  notes: ["Answers without a key too, so a mistyped key may only show as a lower limit."],
  // Sends WWW-Authenticate even with status 200.
  endpoint: { url: "https://mcp.context7.com/mcp" },
  anonymous: true,
  key_modes: [
    {
      id: "api-key",
      label: "API key",
      fields: [{ name: "api_key", label: "API key", secret: true, placeholder: "ctx7sk-…" }],
      validation: { kind: "mcp_initialize" },
      create_key_url: "https://context7.com/dashboard",
      instructions: ["Create an API key in the Context7 dashboard and copy it."],
    },
  ],
} satisfies ServiceInput;
