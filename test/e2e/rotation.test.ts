import { statSync } from "node:fs";
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createControl, type Control } from "../../scripts/lib/control.ts";
import { findInstance } from "../../scripts/lib/instance.ts";
import { readKeysFile, replaceKeys } from "../../scripts/rotate-keys/keys-file.ts";
import { readSecrets } from "../../scripts/lib/secrets.ts";
import { findLeaks, type Haystack, type Canary } from "../support/canary.ts";
import { freePort } from "../support/node/free-port.ts";
import { launchScript, type Running } from "../support/node/launch.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";

/** Connections in the database, of so many people. */
const connections = 60;
const people = 6;

let folder: string;
let env: Record<string, string>;
let start: Running;
let control: Control;
let keysFile: string;
let urls: readonly string[];
/** What the scripts printed. */
const outputs: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-rotation-"));
  env = {
    STATE_DIR: join(folder, "state"),
    PORT: String(await freePort()),
    DEMO_PORT: String(await freePort()),
  };
  start = launchScript("start", [], env);
  await start.until(/^ready /m);
  const instance = await findInstance(join(folder, "state"));
  control = createControl(instance?.control ?? "");
  const credentials = join(folder, "credentials");
  const seed = [
    "--managed",
    String(connections),
    "--workspaces",
    String(people),
    "--credentials",
    credentials,
  ];
  expect(await launchScript("seed", seed, env).ended).toBe(0);
  urls = (await readFile(credentials, "utf8")).trim().split("\n");
  keysFile = join(folder, "keys.json");
});
afterAll(async () => {
  start.process.kill("SIGTERM");
  await start.ended;
  await rm(folder, { recursive: true, force: true });
});

const rotateKeys = (...args: string[]): Running =>
  launchScript(
    "rotate-keys",
    ["--keys-file", keysFile, "--env", "local", "--yes", "--wait", "0.5", ...args],
    env,
  );

async function finish(running: Running): Promise<string> {
  const code = await running.ended;
  outputs.push(running.output());
  expect(running.output()).toMatch(/^Done\./m);
  expect(code).toBe(0);
  return running.output();
}

/** Makes what deployments said before as old as if nobody had said it for 20 minutes. */
async function passTime(keep: string): Promise<void> {
  await control.query(
    `UPDATE loaded_keys SET last_at = last_at - 1200000 WHERE fingerprints != '${keep}';
     UPDATE rotations SET requested_at = requested_at - 1200000 WHERE finished_at IS NULL`,
  );
}

/** Whether time has to pass is known when the script says that it waits. */
async function untilWaiting(running: Running): Promise<void> {
  await running.until(/when no deployment with the old keys can be left|no worker has the old key/);
}

const count = async (sql: string) => Number((await control.query(sql))[0]?.[0]?.["n"]);
const under = (fingerprint: string) =>
  count(`SELECT COUNT(*) AS n FROM data_key_wrappings WHERE fingerprint = '${fingerprint}'`);

/** Kills the script once its output matches, if it is not through by then: how far it comes is the machine's affair. */
async function killSoon(running: Running, at: RegExp): Promise<void> {
  await Promise.allSettled([running.until(at)]);
  running.process.kill("SIGKILL");
  outputs.push(running.output());
  expect([null, 0]).toContain(await running.ended);
}

/** Calls again and again until it is told to stop; answers how many calls there were and what went wrong. */
function keepCalling(): () => Promise<{ calls: number; failures: readonly string[] }> {
  const stopping = new AbortController();
  let calls = 0;
  const failures: string[] = [];
  const attempt = async (work: () => Promise<boolean>) => {
    calls += 1;
    try {
      if (!(await work())) failures.push("a wrong answer");
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
    await new Promise((resolve) => setTimeout(resolve, 120));
  };
  const official = async () => {
    const client = await connectV2(urls[0] ?? "");
    while (!stopping.signal.aborted)
      await attempt(async () => (await client.callTool("add_note", { text: "Kept" })).includes("Kept"));
    await client.close();
  };
  const bare = async () => {
    while (!stopping.signal.aborted) await attempt(async () => (await call(urls[1] ?? "")) === 200);
  };
  const both = Promise.all([official(), bare()]);
  return async () => {
    stopping.abort();
    await both;
    return { calls, failures };
  };
}

/** One call that the service answers only with the stored key: its status. */
async function call(url: string): Promise<number> {
  const params = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bare", version: "1" },
  };
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
  await answer.text();
  return answer.status;
}

async function dump(): Promise<readonly Haystack[]> {
  const state = join(folder, "state");
  const entries = await readdir(join(state, "v3"), { recursive: true, withFileTypes: true });
  const stored = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(
    [...stored, join(state, "worker.log")].map(async (place) => ({
      place,
      text: await readFile(place, "latin1"),
    })),
  );
  return [
    ...files,
    ...outputs.map((text) => ({ place: "a script's output", text })),
    { place: "npm start", text: start.output() },
  ];
}

async function keyCanaries(): Promise<readonly Canary[]> {
  const files = (await readdir(folder)).filter((name) => name.startsWith("keys.json"));
  // A script that was killed between making a copy and writing it leaves an empty one.
  const written = files.filter((name) => statSync(join(folder, name)).size > 0);
  const keys = await Promise.all(written.map(async (name) => (await readKeysFile(join(folder, name))).keys));
  return [...new Set(keys.flat())].map((key, at) => ({ name: `key ${at}`, bytes: Buffer.from(key, "hex") }));
}

it("T15 T17 rotates and removes a key under load, killed at each step, without a failed call", async () => {
  const stopCalling = keepCalling();

  // given: a keys file of the local keys
  const init = rotateKeys("--init");
  expect(await init.ended).toBe(0);
  const [first = ""] = (await readKeysFile(keysFile)).fingerprints;
  const dryRun = rotateKeys("--dry-run");
  expect(await dryRun.ended).toBe(0);
  expect(dryRun.output()).toContain("Nothing was changed.");
  expect((await readKeysFile(keysFile)).fingerprints).toEqual([first]);

  // when: it is killed wherever it says something, and in the middle of sending
  await killSoon(rotateKeys(), /^On local/m);
  await killSoon(rotateKeys(), / added the key | sent 2 key/);
  const { keys, fingerprints } = await readKeysFile(keysFile);
  expect(fingerprints.length).toBe(2);
  const [, second = ""] = fingerprints;
  await killSoon(rotateKeys(), / sent 2 key/);
  await killSoon(rotateKeys(), /waiting until the worker has loaded|asked the workers/);
  await killSoon(rotateKeys(), /wrapping:|asked the workers/);
  expect((await readKeysFile(keysFile)).keys).toEqual(keys);

  // and: it is run to its end
  const said = await finish(rotateKeys());
  expect(said).toContain(`--remove ${first}`);
  expect(await under(second)).toBe(await count("SELECT COUNT(*) AS n FROM data_keys"));
  expect(await under(first)).toBeGreaterThan(0);

  // then: done is done, and the active key cannot be removed
  await finish(rotateKeys());
  expect((await readKeysFile(keysFile)).keys).toEqual(keys);
  const wrong = rotateKeys("--remove", second);
  expect(await wrong.ended).toBe(1);
  expect(wrong.output()).toContain("is the active key");

  // when: the old key is removed, which waits for workers that may lack the new one
  const interrupted = rotateKeys("--remove", first);
  await untilWaiting(interrupted);
  interrupted.process.kill("SIGINT");
  expect(await interrupted.ended).toBe(130);
  expect(interrupted.output()).toContain("Nothing is lost");
  expect(await under(first)).toBeGreaterThan(0);
  await passTime([first, second].join(","));

  // and: a file without it, which is what a removal leaves that was killed before it sent anything, is not sent
  const without = join(folder, "without.json");
  await copyFile(keysFile, without);
  const copy = await readKeysFile(without);
  await replaceKeys(copy, copy.keys.slice(1), new Date());
  const plain = rotateKeys("--keys-file", without);
  expect(await plain.ended).toBe(1);
  expect(plain.output()).toContain("If a --remove was interrupted");

  // and: the script is killed too
  await killSoon(rotateKeys("--remove", first), /^On local/m);
  await killSoon(rotateKeys("--remove", first), / took the key |waiting until no worker/);
  await killSoon(rotateKeys("--remove", first), / sent 1 key|waiting until no worker/);
  const removal = rotateKeys("--remove", first);
  await untilWaiting(removal);
  await passTime(second);
  expect(await finish(removal)).toContain("To undo it");

  // then
  expect(await under(first)).toBe(0);
  expect((await readSecrets(join(folder, "state")))?.managedKeys).toHaveLength(1);
  for (const url of urls) expect(await call(url)).toBe(200);
  const { calls, failures } = await stopCalling();
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(40);
}, 150_000);

it("T15 an emergency replaces the data keys as well", async () => {
  const { fingerprints } = await readKeysFile(keysFile);
  const stopCalling = keepCalling();
  const before = (await control.query("SELECT id FROM data_keys ORDER BY id"))[0];
  const running = rotateKeys("--emergency");
  await untilWaiting(running);
  const after = (await readKeysFile(keysFile)).fingerprints;
  await passTime(after.join(","));
  await running.until(/everything is sealed under new data keys/);
  await control.query("UPDATE data_keys SET created_at = created_at - 1200000");
  expect(await finish(running)).toContain("This was an emergency");
  const used = (
    await control.query("SELECT DISTINCT data_key_id AS id FROM connections WHERE data_key_id IS NOT NULL")
  )[0];
  expect(used).toHaveLength(people);
  expect(used?.filter(({ id }) => before?.some((old) => old["id"] === id))).toEqual([]);

  const removal = rotateKeys("--remove", fingerprints[0] ?? "");
  // Nothing is wrapped under the old key any more, so it may be through without a wait.
  await Promise.allSettled([untilWaiting(removal)]);
  await passTime(after[1] ?? "");
  await finish(removal);
  for (const url of urls) expect(await call(url)).toBe(200);
  expect((await stopCalling()).failures).toEqual([]);
});

it("T15 no byte of a master key is in the database, the blobs, the log or what the scripts print", async () => {
  const canaries = await keyCanaries();
  expect(canaries.length).toBe(3);
  // The search finds what is there: the file of secrets holds the present key.
  const secrets = await readFile(join(folder, "state/secrets.json"), "latin1");
  expect(findLeaks([{ place: "secrets", text: secrets }], canaries)).toHaveLength(1);
  expect(findLeaks(await dump(), canaries)).toEqual([]);
});
