import type { ServiceInput } from "./service.ts";

export const supabase = {
  id: "supabase",
  name: "Supabase",
  category: "Cloud and data",
  description: "Manage Supabase projects and query their databases.",
  docs_url: "https://supabase.com/docs/guides/getting-started/mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  warnings: ["Can change databases. Add read_only=true and one project to the address where that is enough."],
  endpoint: {
    url: "https://mcp.supabase.com/mcp",
    parameters: [
      { name: "read_only", label: "Read only", pattern: "true", help: "read_only=true allows reading only." },
      {
        name: "project_ref",
        label: "Project",
        pattern: "[a-z0-9]{1,64}",
        help: "project_ref is the id of one project, as in its dashboard address.",
      },
    ],
  },
  oauth: { clients: ["dcr"], token_auth_methods: ["client_secret_basic", "client_secret_post"] },
  key_modes: [
    {
      id: "pat",
      label: "Personal access token",
      fields: [{ name: "api_key", label: "Personal access token", secret: true, placeholder: "sbp_…" }],
      validation: {
        kind: "request",
        method: "GET",
        url: "https://api.supabase.com/v1/organizations",
        header: { name: "Authorization", prefix: "Bearer" },
        expect: { status: 200 },
      },
      create_key_url: "https://supabase.com/dashboard/account/tokens",
      instructions: ["Create a personal access token in your Supabase account and copy it."],
    },
  ],
} satisfies ServiceInput;
