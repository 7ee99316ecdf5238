import { randomInt } from "node:crypto";
import type { TestProject } from "vitest/node";
import { startEchoUpstream } from "./support/node/echo-upstream.ts";
import { startHostileServer } from "./support/node/hostile-server.ts";
import { startOddUpstream } from "./support/node/odd-upstream.ts";
import { startStripeDouble } from "./support/node/stripe-double/server.ts";

/** Real servers on 127.0.0.1 for the tests that run in workerd. */
export default async function startServers({ provide }: TestProject): Promise<() => Promise<void>> {
  const echo = await startEchoUpstream();
  const odd = await startOddUpstream();
  const hostile = await startHostileServer();
  const stripe = await startStripeDouble();
  const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
  console.log(`fuzz tests: FUZZ_SEED=${seed} repeats this run`);
  provide("fuzzSeed", seed);
  provide("echoUrl", echo.url);
  provide("oddUrl", odd.url);
  provide("hostileUrl", hostile.url);
  provide("stripeUrl", stripe.url);
  return async () => {
    await Promise.all([echo.close(), odd.close(), hostile.close(), stripe.close()]);
  };
}
