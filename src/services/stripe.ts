import type { ServiceInput } from "./service.ts";

export const stripe = {
  id: "stripe",
  name: "Stripe",
  category: "Payments",
  description: "Look up and manage Stripe customers, payments and invoices.",
  docs_url: "https://docs.stripe.com/mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  warnings: ["Can move money. Use a restricted key with only the permissions that are needed."],
  endpoint: { url: "https://mcp.stripe.com/" },
  // The issuer has a path, so the metadata address has it inserted (RFC 8414 §3.1).
  oauth: { clients: ["dcr"], token_auth_methods: ["none"] },
  key_modes: [
    {
      id: "restricted-key",
      label: "Restricted API key",
      fields: [{ name: "api_key", label: "Restricted API key", secret: true, placeholder: "rk_…" }],
      validation: {
        kind: "request",
        method: "GET",
        url: "https://api.stripe.com/v1/account",
        header: { name: "Authorization", prefix: "Bearer" },
        expect: { status: 200 },
      },
      create_key_url: "https://dashboard.stripe.com/apikeys",
      instructions: ["Create a restricted key in the Stripe dashboard with the permissions that are needed."],
    },
  ],
} satisfies ServiceInput;
