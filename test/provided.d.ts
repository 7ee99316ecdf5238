import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Origin of the echo upstream: see support/node/echo-upstream.ts. */
    echoUrl: string;
    /** Origin of the servers of global-setup.ts that are no MCP servers. */
    oddUrl: string;
    /** The event stream of an HTTP+SSE server (2024-11-05) that wants the key `good-key`. */
    legacyUrl: string;
  }
}
