import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from "jose";
import { defineConfig } from "vitest/config";

/** Packages name source maps whose sources they do not bring: a line of complaint for each file. */
const packagesWithoutMaps = {
  name: "packages-without-maps",
  enforce: "pre" as const,
  load(id: string): string | undefined {
    const [path = id] = id.split("?", 1);
    if (!/\/node_modules\/(?:stripe|oauth4webapi)\/.*\.js$/.test(path)) return undefined;
    return readFileSync(path, "utf8").replaceAll(/^\/\/# sourceMappingURL=.*$/gm, "");
  },
};

// No request leaves the machine on wrangler's own account.
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
process.env["WRANGLER_SEND_METRICS"] = "false";

/** Tests that need Node: real servers, real clients, files. All others run inside workerd. */
const nodeTests = ["test/e2e/**/*.test.ts", "test/scripts/**/*.test.ts", "test/house/**/*.test.ts"];

/**
 * For a busy machine, ms: no test is about how quick it is, and what hangs has limits of its own. What is polled has
 * less than the test, so that it is what fails.
 */
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 15_000 } } };

export default defineConfig(async () => {
  const migrations = await readD1Migrations(fileURLToPath(new URL("./migrations", import.meta.url)));
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const { d, ...publicJwk } = await exportJWK(privateKey);
  const identity = { ...publicJwk, kid: await calculateJwkThumbprint(publicJwk) };
  return {
    test: {
      maxWorkers: 2,
      // What the worker prints is only worth reading where a test failed.
      silent: "passed-only" as const,
      projects: [
        {
          plugins: [
            packagesWithoutMaps,
            cloudflareTest({
              wrangler: { configPath: "./test/wrangler.test.toml" },
              miniflare: {
                bindings: {
                  PUBLIC_URL: "http://127.0.0.1:8787",
                  ADMIN_URL: "http://127.0.0.1:8787",
                  SECRET_ENV: "test",
                  MANAGED_ENCRYPTION_KEYS: JSON.stringify([{ key: randomBytes(32).toString("hex") }]),
                  LOCAL_IDENTITY_KEY: JSON.stringify(identity),
                  DEMO_SERVICE_URL: "http://127.0.0.1:8788",
                  // Tests wait for what a call defers.
                  USAGE_FLUSH_SECONDS: "0",
                  TEST_IDENTITY_KEY: JSON.stringify({ ...identity, d }),
                  TEST_MIGRATIONS: migrations,
                },
              },
            }),
          ],
          test: {
            name: "worker",
            include: ["test/**/*.test.ts"],
            exclude: nodeTests,
            globalSetup: ["./test/global-setup.ts"],
            setupFiles: ["./test/setup.ts"],
            ...patience,
            sequence: { groupOrder: 0 },
          },
        },
        {
          test: {
            name: "node",
            environment: "node",
            include: nodeTests,
            ...patience,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  };
});
