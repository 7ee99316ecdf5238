import { customId, type ServiceInput } from "./service.ts";

/** Stands for any MCP server that is not in the catalogue: the person gives its address. */
export const custom = {
  id: customId,
  name: "Any MCP server",
  category: "Other",
  description: "Connect a server that is not listed here by its MCP address.",
  docs_url: "https://modelcontextprotocol.io/docs/getting-started/intro",
  status: "ga",
  verified: { on: "2026-11", by: "code" },
  warnings: ["Your key or sign-in goes to the address that you enter: use only servers that you trust."],
  endpoint: { url: null },
  oauth: {
    clients: ["cimd", "dcr"],
    own_client: {
      secret: "optional",
      instructions: ["Only needed where the server registers no clients by itself."],
    },
  },
  key_modes: [
    {
      id: "api-key",
      label: "API key",
      fields: [
        {
          name: "api_key",
          label: "API key or token",
          secret: true,
          help: "Sent to the server with every call; by default as Authorization: Bearer.",
        },
      ],
      header_choice: true,
      validation: { kind: "mcp_initialize" },
      instructions: ["Create a key at the service whose server this is, as its documentation describes."],
    },
  ],
} satisfies ServiceInput;
