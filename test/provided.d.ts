import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Origin of the echo upstream: see support/node/echo-upstream.ts. */
    echoUrl: string;
    /** Origin of the servers of global-setup.ts that are no MCP servers of today. */
    oddUrl: string;
  }
}
