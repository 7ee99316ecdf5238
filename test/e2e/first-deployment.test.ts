import { chmod, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { experimental_readRawConfig } from "wrangler";
import { fingerprintOfKey } from "../../scripts/lib/master-key.ts";
import { readKeysFile } from "../../scripts/rotate-keys/keys-file.ts";
import { findLeaks, textCanary } from "../support/canary.ts";
import { hashOfArrived } from "../support/node/arrived-bundle.ts";
import { deployedVersion } from "../support/node/cloudflare-double/account.ts";
import { startCloudflareDouble, type CloudflareDouble } from "../support/node/cloudflare-double/server.ts";
import { minuteJob, onlyDatabase, onlyWorker } from "../support/node/deployed-worker.ts";
import { createOperator, type Operator } from "../support/node/operator.ts";

// For a busy machine: a run of setup starts wrangler ten times.
const timeout = 240_000;
const secret = "MANAGED_ENCRYPTION_KEYS";
const clerkKey = `pk_live_${btoa("clerk.bindify.test$")}`;
const setup = [
  "--public-url",
  "https://bindify.test",
  "--clerk-key",
  clerkKey,
  "--jurisdiction",
  "eu",
  "--yes",
];

let folder = "";
let double: CloudflareDouble;
let operator: Operator;
/** Every master key that there was, the oldest first. */
const keys = new Set<string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-first-"));
  double = await startCloudflareDouble();
  double.account.subdomain = "operator";
  operator = await createOperator(folder, double);
}, timeout);
afterAll(async () => {
  await double.close();
  await rm(folder, { recursive: true, force: true });
});

const keysFile = () => join(folder, "keys.json");
/** Where setup left the copy of a worker's first key. */
const copyOf = (worker: string) => join(folder, "state/deployment", worker, "managed-encryption-keys.json");
const rotateKeys = (...args: string[]) =>
  operator.run("rotate-keys", ["--keys-file", keysFile(), "--env", "production", "--yes", ...args]);

/** What changed something since `begin`, without questions to the database. */
const changes = (begin = 0) =>
  double.account.arrivals
    .slice(begin)
    .filter(({ method, path }) => method !== "GET" && !path.endsWith("/query"))
    .map(({ method, path }) => `${method} ${path}`);

/** The keys file, which has to be what the deployment has. */
async function sentKeys() {
  const file = await readKeysFile(keysFile());
  for (const key of file.keys) keys.add(key);
  const sent: unknown = JSON.parse(onlyWorker(double.account).secrets.get(secret) ?? "");
  expect(sent).toEqual(file.keys.map((key) => ({ key })));
  return file;
}

const limit = (name: string, namespace_id: string, calls: number) => ({
  name,
  type: "ratelimit",
  namespace_id,
  simple: { limit: calls, period: 60 },
});

describe("npm run setup", { timeout }, () => {
  it("stops before it does anything where the token is not valid, and says so", async () => {
    const { code, stdout, stderr } = await operator.run("setup", setup, { CLOUDFLARE_API_TOKEN: "revoked" });
    expect(code).toBe(1);
    expect(stderr).toContain("Invalid access token [code: 9109]");
    expect(stderr).toContain("Put the token (CLOUDFLARE_API_TOKEN)");
    expect(stdout).not.toContain("login");
    expect(changes()).toEqual([]);
  });

  it("stops with Cloudflare's words where it refuses something", async () => {
    const message = "This account has reached the Workers Free limit of 5 cron triggers per account.";
    double.account.refusals = [{ method: "PUT", path: /\/schedules$/, status: 400, code: 10_072, message }];
    const { code, stderr } = await operator.run("setup", setup);
    double.account.refusals = [];
    expect(stderr).toContain(`${message} [code: 10072]`);
    expect(stderr).toContain("Put it right and run the command again");
    expect(code).toBe(1);
    expect(changes().filter((line) => line.endsWith("/secrets"))).toEqual([]);
  });

  it("goes on where it stopped, and makes nothing twice", async () => {
    const begin = double.account.arrivals.length;
    const { code, stdout } = await operator.run("setup", setup);
    expect(stdout).toContain("Done. https://bindify.test/version");
    expect(stdout).toContain('routes = [{ pattern = "bindify.test", custom_domain = true }]');
    expect(code).toBe(0);
    const script = "/workers/scripts/bindify";
    expect(changes(begin)).toEqual([
      `POST ${script}/assets-upload-session`,
      `POST ${script}/versions`,
      `POST ${script}/deployments`,
      `PATCH ${script}/script-settings`,
      `POST ${script}/subdomain`,
      `PUT ${script}/schedules`,
      `PUT ${script}/secrets`,
    ]);
    const database = onlyDatabase(double.account);
    expect(database).toMatchObject({ name: "bindify", place: { jurisdiction: "eu" } });
    const files = (await readdir(join(operator.clone, "migrations"))).filter((name) => name.endsWith(".sql"));
    const applied = database.rows.prepare("SELECT name FROM d1_migrations ORDER BY id").all();
    expect(applied.map((row) => row["name"])).toEqual(files.toSorted());
    expect([...double.account.namespaces.values()]).toEqual(["bindify-blobs"]);
    await copyFile(copyOf("bindify"), keysFile());
    await chmod(keysFile(), 0o600);
    expect((await sentKeys()).keys).toHaveLength(1);
  });

  it("gives the worker its bindings, variables, times and page", async () => {
    const { account } = double;
    const worker = onlyWorker(account);
    const { metadata } = deployedVersion(worker);
    const config = join(operator.clone, "wrangler.toml");
    const { vars } = experimental_readRawConfig({ config }).rawConfig;
    const variables = metadata.bindings.filter(({ type }) => type === "plain_text");
    expect(Object.fromEntries(variables.map(({ name, text }) => [name, text]))).toEqual({
      ...vars,
      PUBLIC_URL: "https://bindify.test",
      CLERK_PUBLISHABLE_KEY: clerkKey,
      COMMIT: operator.commit ?? "",
      BUNDLE_HASH: await hashOfArrived(account, operator.clone),
    });
    const [namespace] = account.namespaces.keys();
    const others = metadata.bindings.filter(({ type }) => type !== "plain_text");
    expect(others.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "ASSETS", type: "assets" },
      { name: "BLOBS", type: "kv_namespace", namespace_id: namespace },
      limit("CONNECTION_LIMIT", "1001", 600),
      { name: "DB", type: "d1", id: onlyDatabase(account).uuid },
      limit("MISS_LIMIT", "1002", 30),
      limit("USER_LIMIT", "1003", 300),
    ]);
    expect(worker.crons).toEqual(["* * * * *", "*/1 * * * *", "17 * * * *", "41 3 * * *"]);
    expect(worker).toMatchObject({ workersDev: true, previewUrls: false });
    expect(worker.settings).toMatchObject({
      observability: { logs: { enabled: true, invocation_logs: false }, traces: { enabled: false } },
    });
    expect(metadata.assets).toMatchObject({
      config: { _headers: expect.stringContaining("script-src 'self' https://clerk.bindify.test") },
    });
  });

  it("run again it deploys, and does nothing else", async () => {
    const begin = double.account.arrivals.length;
    // Left over from another command: it is not the configuration that is deployed.
    const { code, stdout } = await operator.run("setup", ["--yes"], { PAGE_CONFIG: "elsewhere.toml" });
    expect(code).toBe(0);
    expect(stdout).toContain(`${secret} is set already`);
    expect(changes(begin).filter((line) => /secrets|database$|namespaces$|upload$/.test(line))).toEqual([]);
    const asked = double.account.arrivals.slice(begin).map(({ body }) => body);
    expect(asked.filter((body) => body.includes("CREATE TABLE connections"))).toEqual([]);
  });
});

it("builds the page for the configuration that is deployed", { timeout }, async () => {
  const other = join(operator.clone, "wrangler.staging.toml");
  const text = await readFile(join(operator.clone, "wrangler.toml"), "utf8");
  await writeFile(other, text.replace(clerkKey, `pk_live_${btoa("clerk.staging.test$")}`));
  const policyOf = async (env: Readonly<Record<string, string>>) => {
    expect(await operator.run("build-dashboard", [], env)).toMatchObject({ code: 0 });
    return await readFile(join(operator.clone, "dist/dashboard/_headers"), "utf8");
  };
  expect(await policyOf({ PAGE_CONFIG: other })).toContain("script-src 'self' https://clerk.staging.test");
  expect(await policyOf({ PAGE_CONFIG: "" })).toContain("script-src 'self' https://clerk.bindify.test");
  const missing = await operator.run("build-dashboard", [], { PAGE_CONFIG: "elsewhere.toml" });
  expect(missing.stderr).toContain(`${join(operator.clone, "elsewhere.toml")} does not exist`);
  expect(missing.code).toBe(1);
});

describe("npm run rotate-keys", { timeout }, () => {
  it("makes no first key for a deployment that has one", async () => {
    double.account.atWork = () => minuteJob(double.account);
    minuteJob(double.account);
    const { code, stderr } = await rotateKeys("--init", "--keys-file", join(folder, "other.json"));
    expect(stderr).toContain("This deployment has master keys already");
    expect(code).toBe(1);
  });

  it("stops with Cloudflare's words where it refuses the secret, and goes on with the same key", async () => {
    const refused = { status: 403, code: 10_000, message: "Authentication error" };
    double.account.refusals = [{ method: "PUT", path: /\/secrets$/, ...refused }];
    const failed = await rotateKeys();
    double.account.refusals = [];
    expect(failed.stderr).toMatch(
      /^wrangler secret put failed \(exit code 1\): .*Authentication error \[code: 10000\]/ms,
    );
    expect(failed.stderr).toContain("Nothing is lost");
    const made = (await readKeysFile(keysFile())).keys;
    expect(made).toHaveLength(2);

    const { code, stdout } = await rotateKeys();
    expect(code).toBe(0);
    const file = await sentKeys();
    expect(stdout).toContain(`Done. ${file.fingerprints[1]} is the active key`);
    expect(file.keys).toEqual(made);
  });

  it("takes the old key away", async () => {
    const [old = "", active] = [...keys];
    const { code, stdout } = await rotateKeys("--remove", fingerprintOfKey(old));
    expect(stdout).toContain(`Done. No worker has ${fingerprintOfKey(old)}`);
    expect(code).toBe(0);
    expect((await sentKeys()).keys).toEqual([active]);
  });
});

const secondConfig = () => join(operator.clone, "wrangler.trial.toml");
const setupSecond = () => operator.run("setup", [...setup, "--config", "wrangler.trial.toml"]);

describe("a second deployment", { timeout }, () => {
  it("is refused where it has the name of the first", async () => {
    double.account.atWork = undefined;
    const begin = double.account.arrivals.length;
    const missing = await setupSecond();
    expect(missing.stderr).toContain(`${secondConfig()} does not exist. For a second deployment copy`);
    await copyFile(join(operator.clone, "wrangler.toml.example"), secondConfig());
    const refused = await setupSecond();
    expect(refused.stderr).toContain("names its worker bindify, as wrangler.toml does");
    expect([missing.code, refused.code]).toEqual([1, 1]);
    expect(double.account.arrivals.slice(begin)).toEqual([]);
  });

  it("takes nothing from the first", async () => {
    const { account } = double;
    const named = (await readFile(secondConfig(), "utf8"))
      .replace('name = "bindify"', 'name = "trial"')
      .replace('database_name = "bindify"', 'database_name = "trial-data"');
    await writeFile(secondConfig(), named);
    const before = structuredClone(onlyWorker(account));
    const { code, stdout } = await setupSecond();
    expect(stdout).toContain(`Move ${copyOf("trial")} to a safe place`);
    expect(code).toBe(0);

    expect([...account.databases.values()].map(({ name }) => name)).toEqual(["bindify", "trial-data"]);
    expect([...account.namespaces.values()]).toEqual(["bindify-blobs", "trial-blobs"]);
    expect([...account.workers.keys()]).toEqual(["bindify", "trial"]);
    const [first, second] = account.workers.values();
    expect(first).toEqual(before);
    const bindings = second === undefined ? [] : deployedVersion(second).metadata.bindings;
    const [, database] = account.databases.keys();
    const [, namespace] = account.namespaces.keys();
    expect(bindings).toContainEqual({ name: "DB", type: "d1", id: database });
    expect(bindings).toContainEqual({ name: "BLOBS", type: "kv_namespace", namespace_id: namespace });
    const { keys: ownKeys } = await readKeysFile(copyOf("trial"));
    expect(JSON.parse(second?.secrets.get(secret) ?? "")).toEqual(ownKeys.map((key) => ({ key })));
    for (const key of ownKeys) {
      expect(keys).not.toContain(key);
      keys.add(key);
    }
  });

  it("is not replaced by one that only has its name", async () => {
    const begin = double.account.arrivals.length;
    const another = join(operator.clone, "wrangler.another.toml");
    const example = await readFile(join(operator.clone, "wrangler.toml.example"), "utf8");
    await writeFile(another, example.replace('name = "bindify"', 'name = "trial"'));
    const { code, stdout, stderr } = await operator.run("setup", [...setup, "--config", another]);
    expect(stdout).toContain("The account has a worker called trial already. This would replace it.");
    expect(stderr).toContain("Give this one another name in the configuration");
    expect(code).toBe(1);
    expect(changes(begin)).toEqual([]);
  });

  it("has its own keys rotated", async () => {
    const begin = double.account.arrivals.length;
    const which = ["--keys-file", copyOf("trial"), "--config", "wrangler.trial.toml"];
    const { code, stdout } = await rotateKeys(...which, "--dry-run");
    expect(stdout).toContain("On production (wrangler.trial.toml) this would:");
    expect(code).toBe(0);
    const [, database = ""] = double.account.databases.keys();
    const queries = double.account.arrivals.slice(begin).filter(({ path }) => path.endsWith("/query"));
    expect(new Set(queries.map(({ path }) => path))).toEqual(new Set([`/d1/database/${database}/query`]));
  });
});

it("shows no key to anybody but Cloudflare, and asks nobody else", async () => {
  const canaries = [...keys].map((key, at) => textCanary(`key ${at}`, key));
  expect(canaries).toHaveLength(3);
  const bodies = double.account.arrivals.map(({ path, body }) => ({ place: path, text: body }));
  const places = new Set(findLeaks(bodies, canaries).map(({ place }) => place));
  expect([...places]).toEqual(["/workers/scripts/bindify/secrets", "/workers/scripts/trial/secrets"]);
  const traces = await operator.traces();
  expect(traces.some(({ place }) => place.includes("wrangler-"))).toBe(true);
  expect(findLeaks(traces, canaries)).toEqual([]);
  expect(double.outside).toEqual([]);
  expect(double.account.unknown).toEqual([]);
});
