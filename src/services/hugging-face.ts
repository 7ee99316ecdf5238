import type { ServiceInput } from "./service.ts";

export const huggingFace = {
  id: "hugging-face",
  name: "Hugging Face",
  category: "AI",
  description: "Search models, datasets and papers on Hugging Face and run Spaces as tools.",
  docs_url: "https://huggingface.co/docs/hub/en/hf-mcp-server",
  status: "ga",
  verified: { on: "2026-11", by: "docs" },
  endpoint: { url: "https://huggingface.co/mcp" },
  anonymous: true,
  oauth: { clients: ["cimd", "dcr"] },
  key_modes: [
    {
      id: "access-token",
      label: "Access token",
      fields: [{ name: "api_key", label: "Access token", secret: true, placeholder: "hf_…" }],
      // An anonymous handshake succeeds too, so the key is tried at the API.
      validation: {
        kind: "request",
        method: "GET",
        url: "https://huggingface.co/api/whoami-v2",
        header: { name: "Authorization", prefix: "Bearer" },
        expect: { status: 200 },
      },
      create_key_url: "https://huggingface.co/settings/tokens",
      instructions: ["Create a token with read access in your Hugging Face settings and copy it."],
    },
  ],
} satisfies ServiceInput;
