import type { ServiceInput } from "./service.ts";

export const microsoftLearn = {
  id: "microsoft-learn",
  name: "Microsoft Learn",
  category: "Development",
  description: "Search Microsoft's official documentation.",
  docs_url: "https://learn.microsoft.com/en-us/training/support/mcp",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  endpoint: { url: "https://learn.microsoft.com/api/mcp" },
  anonymous: true,
} satisfies ServiceInput;
