import { isLoopback } from "../lib/destination.ts";
import type { ServiceInput } from "./service.ts";

/** The demo service that `npm start` runs: in the catalogue only where its loopback origin is configured. */
export function demoService(origin: string): ServiceInput {
  if (!isLoopback(new URL(origin).hostname.replace(/^\[|\]$/g, ""))) {
    throw new TypeError("the demo service may only be at a loopback address: its key is public");
  }
  return {
    id: "demo",
    name: "Demo notes",
    category: "Examples",
    description: "A notebook on this machine for trying things out: list, read and write notes.",
    docs_url: new URL("/", origin).href,
    status: "ga",
    verified: { on: "2026-11", by: "code" },
    notes: ["Runs beside this deployment and forgets everything when it stops."],
    endpoint: { url: new URL("/mcp", origin).href },
    oauth: {
      clients: ["pre_registered", "cimd", "dcr"],
      redirect: "any",
      revocation: { style: "rfc7009", scope: "token" },
    },
    key_modes: [
      {
        id: "api-key",
        label: "Demo key",
        fields: [
          {
            name: "api_key",
            label: "Demo key",
            secret: true,
            placeholder: "demo-notes-key",
            help: "The demo key is always demo-notes-key. It protects nothing.",
          },
        ],
        validation: { kind: "mcp_initialize" },
        instructions: ["Type demo-notes-key."],
      },
    ],
  };
}
