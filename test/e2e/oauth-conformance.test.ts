import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authScenarios, runScenario, type ScenarioResult } from "../support/node/conformance-client.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";

/** Ways to get a token without a person, or bound to a key: no sign-in of a person at a service, so not offered. */
const notOffered = [
  // The client signs in as itself: there is no person whose access would be used.
  "auth/client-credentials-jwt",
  "auth/client-credentials-basic",
  // An identity provider of the company vouches for the person (ID-JAG).
  "auth/enterprise-managed-authorization",
  // Tokens bound to a key: each proxied request would need a proof of its own.
  "auth/dpop",
  "auth/dpop-nonce",
  // A workload's own identity.
  "auth/wif-jwt-bearer",
];

/** The suite wants the address of its own example document; ours is at our own address. */
const known: Readonly<Record<string, readonly string[]>> = { "auth/basic-cimd": ["cimd-client-id-used"] };

/** Of the revision without protected-resource metadata, whose servers are still in use. */
const oldest = ["auth/2025-03-26-oauth-metadata-backcompat", "auth/2025-03-26-oauth-endpoint-fallback"];

let instance: Instance;

beforeAll(async () => {
  // As on a public address, so that the client document counts.
  instance = await startInstance({ demo: false, page: false, entry: "test/support/public-worker.ts" });
});

afterAll(() => instance?.close());

/** All of them, two at a time. */
async function runAll(scenarios: readonly string[], revision: string): Promise<ScenarioResult[]> {
  const left = [...scenarios];
  const results: ScenarioResult[] = [];
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      results.push(await runScenario(instance, next, revision));
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

function expectPassed(results: readonly ScenarioResult[], revision: string): void {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  // Not through the console, which is shown for failed tests only.
  process.stdout.write(
    `conformance, OAuth client ${revision}: ${results.length} scenarios, ${passed} checks passed\n`,
  );
  const amiss = results.map(({ scenario, failed, warned }) => ({
    scenario,
    failed,
    warned: warned.filter((id) => !known[scenario]?.includes(id)),
  }));
  expect(amiss.filter(({ failed, warned }) => failed.length + warned.length > 0)).toEqual([]);
  // A suite that ran empty would pass too.
  expect(results.every((result) => result.passed > 0)).toBe(true);
}

describe("conformance of the OAuth client", () => {
  for (const [revision, least] of [
    ["2025-11-25", 14],
    ["2026-07-28", 25],
  ] as const) {
    it(`${revision}: every required check passes`, { timeout: 240_000 }, async () => {
      const { required, extensions } = await authScenarios(revision);
      expect(required.length).toBeGreaterThanOrEqual(least);
      expect(extensions.toSorted()).toEqual(notOffered.toSorted());
      expectPassed(await runAll(required, revision), revision);
    });
  }

  it("2025-03-26: servers without protected-resource metadata", async () => {
    expectPassed(await runAll(oldest, "2025-03-26"), "2025-03-26");
  });
});
