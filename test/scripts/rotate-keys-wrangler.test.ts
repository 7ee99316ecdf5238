import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { fingerprintOfKey, newMasterKey } from "../../scripts/lib/master-key.ts";
import { root } from "../../scripts/lib/files.ts";
import { createKeysFile, readKeysFile } from "../../scripts/rotate-keys/keys-file.ts";
import { next } from "../../scripts/rotate-keys/next.ts";
import { readOptions } from "../../scripts/rotate-keys/options.ts";
import { createProgress } from "../../scripts/rotate-keys/progress.ts";
import { rotate } from "../../scripts/rotate-keys/run.ts";
import type { Target } from "../../scripts/rotate-keys/target.ts";
import { excerpt, wranglerTarget } from "../../scripts/rotate-keys/wrangler.ts";
import { findLeaks, textCanary } from "../support/canary.ts";

const fake = join(root, "test/support/node/fake-wrangler.mjs");
const callSchema = z.object({
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  input: z.string(),
});

const rowsSchema = z.array(z.array(z.record(z.string(), z.unknown())));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-wrangler-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

type Mode = "work" | "fail" | "hang" | "pass on" | "keep on" | "garbage";

async function behave(mode: Mode, results: unknown[] = []): Promise<void> {
  await writeFile(join(folder, "behaviour.json"), JSON.stringify({ mode, results }));
}

async function calls() {
  const text = await readFile(join(folder, "calls.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => callSchema.parse(JSON.parse(line)));
}

const target = (limit = 10_000): Target =>
  wranglerTarget({
    environment: "staging",
    command: [process.execPath, fake, folder],
    selection: ["--env", "staging"],
    limit,
    pause: 1,
  });

/** What the database of a deployment answers that has loaded these keys and rotated to the last. */
function answers(loaded: readonly string[]): unknown[] {
  const now = 1e12;
  const report = { fingerprints: loaded.join(","), active: loaded.at(-1), first_at: now, last_at: now, now };
  const none = {
    id: null,
    reencrypt: null,
    requested_at: null,
    rewrapped_at: null,
    settled_at: null,
    finished_at: null,
  };
  const counts = {
    data_keys: 1,
    wrapped: 1,
    replaceable: 0,
    connections: 1,
    connections_left: 0,
    registrations_left: 0,
  };
  const references = { wrappings: 1, data_keys: 0, connections: 0, client_registrations: 0, flows: 0 };
  return [[report], [{ ...none, unreadable: null, now, ...counts }], [references]];
}

function run(keysFile: string, lines: string[], by = target(), remove?: string) {
  return rotate({
    target: { ...by, interval: 1 },
    keysFile,
    wish: { remove, reencrypt: false, newKey: false },
    patience: 1500,
    dryRun: false,
    say: (line) => lines.push(line),
    progress: createProgress({ write: (line) => lines.push(line) }),
    confirm: () => Promise.resolve(true),
  });
}

describe("rotate-keys through wrangler", () => {
  it("T15 hands the keys over on standard input alone", async () => {
    await behave("work");
    const key = newMasterKey();
    await target().putSecret(JSON.stringify([{ key }]));
    const [call] = await calls();
    expect(call?.args).toEqual(["secret", "put", "MANAGED_ENCRYPTION_KEYS", "--env", "staging"]);
    expect(call?.input).toBe(JSON.stringify([{ key }]));
    const seen = [...(call?.args ?? []), ...Object.entries(call?.env ?? {}).flat()];
    expect(
      findLeaks([{ place: "arguments and environment", text: seen.join("\n") }], [textCanary("key", key)]),
    ).toEqual([]);
    expect(call?.env["WRANGLER_LOG_SANITIZE"]).toBe("true");
  });

  it.each([
    ["production", "", ["--env="]],
    ["production", "[env.production]\n", ["--env", "production"]],
    ["staging", "[env.staging]\n", ["--env", "staging"]],
  ])("asks about the deployment of the configuration that is given: %s, %j", async (name, section, env) => {
    await behave("work", [[]]);
    const config = join(folder, "other.toml");
    await writeFile(config, `name = "other"\n${section}`);
    const other = wranglerTarget({
      environment: name,
      config,
      command: [process.execPath, fake, folder],
      pause: 1,
    });
    expect(other.name).toBe(`${name} (${config})`);
    await other.query("SELECT 1");
    await behave("work", ["MANAGED_ENCRYPTION_KEYS"]);
    await other.secretNames?.();
    await other.putSecret("[]");
    const which = ["--config", config, ...env];
    expect((await calls()).map(({ args }) => args.slice(-which.length))).toEqual([which, which, which]);
  });

  it("does not take the top level of a configuration for an environment that it lacks", async () => {
    const config = join(folder, "other.toml");
    await writeFile(config, 'name = "other"\n');
    expect(() => wranglerTarget({ environment: "staging", config })).toThrow(
      `${config} has no section [env.staging]; --env production is its top level.`,
    );
  });

  it("names the configuration in the command that comes next", () => {
    const file = { path: "/keys.json", keys: [], fingerprints: ["a".repeat(16), "b".repeat(16)] };
    const options = readOptions([
      "--keys-file",
      "/keys.json",
      "--env",
      "production",
      "--config",
      "my own.toml",
    ]);
    const step = { do: "done", needed: [], removable: ["a".repeat(16)] } as const;
    expect(next(step, file, options)).toContain(
      `--keys-file /keys.json --env production --config 'my own.toml' --remove ${"a".repeat(16)}`,
    );
  });

  it("reads the rows of each statement", async () => {
    await behave("work", [[{ one: 1 }], []]);
    expect(await target().query("SELECT 1; SELECT 2")).toEqual([[{ one: 1 }], []]);
    expect((await calls())[0]?.args.slice(0, 5)).toEqual(["d1", "execute", "DB", "--remote", "--json"]);
  });

  it.each([
    ["fail", /^wrangler secret put failed \(exit code 1\): .*Cloudflare API failed/s],
    ["hang", /^wrangler secret put did not end within 0\.5 s/],
  ] as const)("T15 a wrangler that is to %s is reported without what it was given", async (mode, reason) => {
    await behave(mode);
    const key = newMasterKey();
    const failed: unknown = await target(500)
      .putSecret(JSON.stringify([{ key }]))
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    const message = failed instanceof Error ? failed.message : "";
    expect(message).toMatch(reason);
    expect(message).toContain("run the same command again");
    expect(findLeaks([{ place: "message", text: message }], [textCanary("key", key)])).toEqual([]);
  });

  it.each([
    ["pass on", false],
    ["keep on", true],
  ] as const)(
    "does not wait for a program that wrangler started and that hangs: %s",
    async (mode, livesOn) => {
      await behave(mode);
      const failed: unknown = await target(8000)
        .putSecret("[]")
        .catch((error: unknown) => error);
      const message = failed instanceof Error ? failed.message : "";
      expect(message).toMatch(/^wrangler secret put did not end within 8 s: \d+/);
      const started = Number(/: (\d+)/.exec(message)?.[1]);
      if (livesOn) process.kill(started, "SIGKILL");
      else expect(() => process.kill(started, 0)).toThrow("ESRCH");
    },
  );

  it("asks three times before it gives a question up, and says what came instead of an answer", async () => {
    await behave("garbage");
    await expect(target().query("SELECT 1")).rejects.toThrow(
      "something else than query results: <html>Bad gateway",
    );
    expect(await calls()).toHaveLength(3);
  });

  it("does not take a key away that the older form of the secret still holds", async () => {
    await behave("work", ["MANAGED_ENCRYPTION_KEYS", "MANAGED_ENCRYPTION_MASTER_KEY"]);
    const [old, active] = [newMasterKey(), newMasterKey()];
    const path = join(folder, "keys.json");
    await createKeysFile(path, [old, active]);
    const fingerprints = [old, active].map(fingerprintOfKey);
    const rows = answers(fingerprints);
    const by: Target = { ...target(), query: () => Promise.resolve(rowsSchema.parse(rows)) };
    const lines: string[] = [];
    await expect(run(path, lines, by, fingerprints[0])).rejects.toThrow(
      "secret delete MANAGED_ENCRYPTION_MASTER_KEY --env staging",
    );
    expect((await readKeysFile(path)).keys).toEqual([old, active]);
  });

  it("understands what the shipped wrangler answers", async () => {
    // The real program, on a database on disk: the fake could agree with our mistakes.
    const config = join(folder, "wrangler.toml");
    await writeFile(
      config,
      'name = "x"\ncompatibility_date = "2026-11-01"\n[[d1_databases]]\nbinding = "DB"\ndatabase_name = "x"\ndatabase_id = "x"\n',
    );
    const shim = join(folder, "shim.mjs");
    await writeFile(
      shim,
      `import { spawnSync } from "node:child_process";
       const args = process.argv.slice(2).map((one) => (one === "--remote" ? "--local" : one));
       const program = ${JSON.stringify(join(root, "node_modules/wrangler/bin/wrangler.js"))};
       process.exitCode = spawnSync(process.execPath, [program, ...args], { stdio: "inherit" }).status ?? 1;`,
    );
    const real = wranglerTarget({
      environment: "production",
      command: [process.execPath, shim],
      selection: ["--config", config, "--env="],
      pause: 1,
    });
    expect(await real.query("SELECT 1 AS one; SELECT 'x' AS two, NULL AS three")).toEqual([
      [{ one: 1 }],
      [{ two: "x", three: null }],
    ]);
  });

  it("cuts long words, in which a key could hide, out of what programs say", () => {
    const key = newMasterKey();
    expect(excerpt(`a ${key} b ${Buffer.from(key).toString("base64")}`)).toBe("a [redacted] b [redacted]");
    expect(excerpt(`\u001B[31m${key}\u001B[0m`)).toBe("[redacted]");
    expect(excerpt(" \n")).toBe("it said nothing.");
  });

  it("T15 takes up a rotation whose wrangler failed while it sent the secret", async () => {
    const first = newMasterKey();
    const path = join(folder, "keys.json");
    await createKeysFile(path, [first]);
    const before = [fingerprintOfKey(first)];
    const lines: string[] = [];

    await behave("work", answers(before));
    const failing: Target = {
      ...target(),
      putSecret: async (text) => {
        await behave("fail");
        await target().putSecret(text);
      },
    };
    await expect(run(path, lines, failing)).rejects.toThrow("wrangler secret put failed");
    const after = (await readKeysFile(path)).keys;
    expect(after).toHaveLength(2);
    expect(after[0]).toBe(first);

    // The worker still has the first key alone: the same second key is sent, and no third one is made.
    await behave("work", answers(before));
    expect(await run(path, lines)).toEqual({ outcome: "waiting" });
    expect((await readKeysFile(path)).keys).toEqual(after);
    const sent = (await calls()).filter(({ args }) => args[0] === "secret").map(({ input }) => input);
    expect(sent).toEqual([1, 2].map(() => JSON.stringify(after.map((key) => ({ key })))));
    const said = [{ place: "output", text: lines.join("\n") }];
    expect(
      findLeaks(
        said,
        after.map((key, at) => textCanary(`key ${at}`, key)),
      ),
    ).toEqual([]);
  });
});
