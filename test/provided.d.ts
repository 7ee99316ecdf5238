import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** What fuzz tests begin with; printed, and taken from FUZZ_SEED where it is set. */
    fuzzSeed: number;
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
