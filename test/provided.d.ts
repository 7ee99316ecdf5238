import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Origin of the echo upstream: see support/node/echo-upstream.ts. */
    echoUrl: string;
    /** Origin of support/node/odd-upstream.ts. */
    oddUrl: string;
    /** Origin of support/node/hostile-server.ts. */
    hostileUrl: string;
    /** Origin of support/node/stripe-double/server.ts. */
    stripeUrl: string;
  }
}
