import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { root } from "../../scripts/lib/files.ts";
import { fillConfig, readFilling } from "../../scripts/lib/wrangler-toml.ts";
import { readConfig } from "../../scripts/setup/config.ts";
import { missingRoute } from "../../scripts/setup/variables.ts";

const main = join(root, "scripts/setup/main.ts");
const fake = fileURLToPath(new URL("../support/node/fake-account.mjs", import.meta.url));

let folder = "";
/** The shipped configuration, as of another deployment: a developer may have a wrangler.toml of their own. */
let trial = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-setup-"));
  const example = await readFile(join(root, "wrangler.toml.example"), "utf8");
  trial = example.replace(/^name = .*$/m, 'name = "trial"');
  trial = trial.replace(/^database_name = .*$/m, 'database_name = "trial-data"');
  await writeFile(config(), trial);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const config = () => join(folder, "wrangler.trial.toml");
const keyFile = () => join(folder, "state/deployment/trial/managed-encryption-keys.json");

const environment = () => ({
  ...process.env,
  WRANGLER_PATH: fake,
  FAKE_WRANGLER: folder,
  STATE_DIR: join(folder, "state"),
  // Somebody may have set it for another command.
  PAGE_CONFIG: "elsewhere.toml",
});

async function setup(args: readonly string[], typed = ""): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [main, "--config", config(), ...args], {
    env: environment(),
    stdio: "pipe",
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stdin.end(typed);
  await once(child, "close");
  return { code: child.exitCode, text };
}

const callSchema = z.object({ args: z.array(z.string()), input: z.string(), page: z.string().optional() });

async function calls(): Promise<readonly z.output<typeof callSchema>[]> {
  const path = join(folder, "calls");
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, "utf8")).trim().split("\n");
  return lines.map((line) => callSchema.parse(JSON.parse(line)));
}

/** What changed something, in order; the real wrangler's dry run for the hash is not one of them. */
async function changes(): Promise<readonly string[]> {
  const reading = /^(?:whoami|deployments list|d1 list|kv namespace list|secret list)|--dry-run/;
  return (await calls()).map(({ args }) => args.join(" ")).filter((line) => !reading.test(line));
}

const given = ["--public-url", "https://bindify.test", "--clerk-key", "pk_live_abc"];

describe("npm run setup", () => {
  it("goes the whole way, and no argument ever holds the key", async () => {
    const { code, text } = await setup([...given, "--jurisdiction", "eu", "--yes"]);
    expect(text).toContain("Done. https://bindify.test/version");
    expect(text).toContain('routes = [{ pattern = "bindify.test", custom_domain = true }]');
    expect(text).toContain(`Move ${keyFile()} to a safe place`);
    expect(text).toContain(`$ PAGE_CONFIG=${config()} npx wrangler deploy --config ${config()}`);
    expect(code).toBe(0);
    expect(await changes()).toEqual([
      "login",
      "d1 create trial-data --jurisdiction eu",
      "kv namespace create trial-blobs",
      `d1 migrations apply DB --remote --config ${config()}`,
      expect.stringMatching(
        /^deploy --config \S+ (?:--var COMMIT:[0-9a-f]{40} )?--var BUNDLE_HASH:[0-9a-f]{64}$/,
      ),
      `secret put MANAGED_ENCRYPTION_KEYS --config ${config()}`,
    ]);
    const deployed = (await calls()).filter(
      ({ args }) => args[0] === "deploy" && !args.includes("--dry-run"),
    );
    expect(deployed.map(({ page }) => page)).toEqual([config()]);
    expect(readFilling(await readFile(config(), "utf8"))).toMatchObject({
      databaseId: "db-uuid-1",
      blobsId: "kv-id-1",
      variables: { PUBLIC_URL: "https://bindify.test", CLERK_PUBLISHABLE_KEY: "pk_live_abc" },
    });
    const keys = await readFile(keyFile(), "utf8");
    const [key = ""] = /[0-9a-f]{64}/.exec(keys) ?? [];
    const put = (await calls()).find(({ args }) => args[0] === "secret" && args[1] === "put");
    expect(JSON.parse(put?.input ?? "")).toEqual([{ key }]);
    expect(JSON.stringify((await calls()).map(({ args }) => args))).not.toContain(key);
    expect(text).not.toContain(key);
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
  });

  it("shows each command before it runs it, and stops at a no", async () => {
    const answers = ["https://own.test", "", "https://idp.test", "https://idp.test/jwks", "aud", "y", "n"];
    const { code, text } = await setup([], `${answers.join("\n")}\n`);
    expect(code).toBe(1);
    expect(text).toContain("$ npx wrangler d1 create trial-data");
    expect(text).toContain("Run the command again to go on from here.");
    expect(await changes()).toEqual(["login"]);
    expect(readFilling(await readFile(config(), "utf8")).variables).toMatchObject({
      PUBLIC_URL: "https://own.test",
      OIDC_ISSUER: "https://idp.test",
      OIDC_JWKS_URL: "https://idp.test/jwks",
      OIDC_AUDIENCE: "aud",
    });
  });

  it.each(["d1 create", "kv namespace create", "d1 migrations apply", "deploy", "secret put"])(
    "goes on after %s failed, and makes nothing twice",
    async (step) => {
      await writeFile(join(folder, "broken"), step);
      const failed = await setup([...given, "--yes"]);
      expect(failed.code).toBe(1);
      expect(failed.text).toContain("The network is down.");
      const kept = existsSync(keyFile()) ? await readFile(keyFile(), "utf8") : undefined;
      await rm(join(folder, "broken"));
      expect(await setup([...given, "--yes"])).toMatchObject({ code: 0 });
      const made = (await changes()).filter((line) => /create|secret put/.test(line));
      expect(made).toHaveLength(step === "d1 migrations apply" || step === "deploy" ? 3 : 4);
      if (kept !== undefined) expect(await readFile(keyFile(), "utf8"), "the same key").toBe(kept);
    },
  );

  it.each([
    {
      has: { databases: [{ uuid: "theirs", name: "trial-data" }] },
      what: "a database called trial-data",
      before: [],
      otherwise: ["change database_name", 'add database_id = "theirs" below it'],
      taken: { databaseId: "theirs" },
    },
    {
      has: { namespaces: [{ id: "theirs", title: "trial-blobs" }] },
      what: "a KV namespace called trial-blobs",
      before: ["y"],
      otherwise: ["create it", 'add id = "theirs" below binding = "BLOBS"'],
      taken: { blobsId: "theirs" },
    },
    {
      has: { deployments: 1 },
      what: "a worker called trial",
      before: [],
      otherwise: ["Give this one another name", "without --yes"],
      taken: { databaseId: "db-uuid-1" },
    },
  ])(
    "takes over what has its name already only where it is told to: $what",
    async ({ has, what, before, otherwise, taken }) => {
      const account = { signedIn: true, databases: [], namespaces: [], secrets: [], deployments: 0, ...has };
      const begin = async () => {
        await writeFile(join(folder, "account.json"), JSON.stringify(account));
        await writeFile(config(), trial);
      };
      for (const no of ["", "n", "--yes"]) {
        await begin();
        const refused =
          no === "--yes"
            ? await setup([...given, no])
            : await setup(given, `${[...before, no].join("\n")}\n`);
        expect(refused.code, no).toBe(1);
        expect(refused.text).toContain(`The account has ${what} already`);
        for (const sentence of otherwise) expect(refused.text).toContain(sentence);
        expect(readFilling(await readFile(config(), "utf8"))).not.toMatchObject(taken);
        expect((await changes()).filter((line) => /^deploy|^secret/.test(line))).toEqual([]);
      }

      await begin();
      const { code, text } = await setup(given, "y\n".repeat(10));
      expect(text).toContain(`The account has ${what} already`);
      expect(code).toBe(0);
      expect(readFilling(await readFile(config(), "utf8"))).toMatchObject(taken);
    },
  );

  it("stops where wrangler cannot say whether the worker exists", async () => {
    await writeFile(join(folder, "broken"), "deployments list");
    const { code, text } = await setup([...given, "--yes"]);
    expect(code).toBe(1);
    expect(text).toContain("The network is down.");
    expect(await changes()).toEqual(["login"]);
  });

  it("begins no second deployment without a configuration", async () => {
    await rm(config());
    const { code, text } = await setup([...given, "--yes"]);
    expect(code).toBe(1);
    expect(text).toContain(
      `${config()} does not exist. For a second deployment copy wrangler.toml.example there`,
    );
    expect(existsSync(config())).toBe(false);
    expect(await calls()).toEqual([]);
  });

  it.each(["a question", "wrangler"])("Ctrl-C ends it, whatever it waits for: %s", async (place) => {
    if (place === "wrangler") await writeFile(join(folder, "hanging"), "deployments list");
    const child = spawn(process.execPath, [main, "--config", config(), ...given], {
      env: environment(),
      stdio: ["pipe", "pipe", "ignore"],
      // A process group of its own, as a command at a terminal has one.
      detached: true,
    });
    const ended = once(child, "close");
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const timeout = 20_000;
    const fakeSays = async (words: string) =>
      vi.waitFor(async () => expect(await readFile(join(folder, "hangs"), "utf8")).toBe(words), {
        timeout,
      });
    await vi.waitFor(() => expect(text).toContain("Run it? [Y/n]"), { timeout });
    if (place === "wrangler") {
      child.stdin.write("y\n");
      await fakeSays("it hangs");
    }
    process.kill(-Number(child.pid), "SIGINT");
    await ended;
    expect(child.signalCode).toBe("SIGINT");
    if (place === "wrangler") await fakeSays("interrupted");
  });

  it("does not offer to sign in where wrangler cannot ask who is signed in", async () => {
    await writeFile(join(folder, "broken"), "whoami");
    const { code, text } = await setup([...given, "--yes"]);
    expect(code).toBe(1);
    expect(text).toContain("The network is down.");
    expect(text).toContain("Put the token (CLOUDFLARE_API_TOKEN) or the connection right");
    expect(await changes()).toEqual([]);
  });

  it("a second run deploys, and leaves the master key alone", async () => {
    await setup([...given, "--yes"]);
    const before = await changes();
    const { text } = await setup(["--yes"]);
    expect(text).toContain("is set already");
    const after = (await changes()).slice(before.length).map((line) => line.split(" --")[0]);
    expect(after).toEqual(["d1 migrations apply DB", "deploy"]);
  });

  it("--dry-run shows the way, runs nothing and writes nothing", async () => {
    const { code, text } = await setup([...given, "--dry-run"]);
    expect(code).toBe(0);
    for (const part of [
      "login",
      "d1 create",
      "kv namespace create",
      "migrations apply",
      "deploy",
      "secret put",
    ])
      expect(text).toContain(`npx wrangler ${part}`.replace("wrangler migrations", "wrangler d1 migrations"));
    expect(await calls()).toEqual([]);
    expect(await readFile(config(), "utf8")).toBe(trial);
    expect(existsSync(keyFile())).toBe(false);
  });

  it.each([
    [["--public-url", "http://bindify.test"], "must be an https:// address"],
    [["--public-url", "https://bindify.test/"], "without a path or a final slash"],
    [["--clerk-key", "sk_live_x"], "pk_live_"],
    [["--location", "weur", "--jurisdiction", "eu"], "exclude each other"],
    [["--clerk-key", "pk_live_abc"], "With --yes"],
    [["--nonsense"], "--help"],
  ])("says what is wrong with %j", async (args, sentence) => {
    const { code, text } = await setup([...args, "--yes"]);
    expect([1, 2]).toContain(code);
    expect(text).toContain(sentence);
    expect(text).not.toMatch(/^\s+at /m);
  });
});

const first = () => join(folder, "wrangler.toml");

describe("the configuration", () => {
  it("is the shipped one for a first deployment", async () => {
    expect(await readConfig(first(), first())).toBe(
      await readFile(join(root, "wrangler.toml.example"), "utf8"),
    );
  });

  it("of a second deployment names another worker than the first", async () => {
    expect(await readConfig(config(), first())).toBe(trial);
    await writeFile(first(), trial);
    await expect(readConfig(config(), first())).rejects.toThrow(
      "names its worker trial, as wrangler.toml does",
    );
    await writeFile(first(), trial.replace('"trial"', '"bindify"'));
    expect(await readConfig(config(), first())).toBe(trial);
  });

  it("has to say what its worker is called, and a limit's name is not that", async () => {
    await writeFile(config(), trial.replace('name = "trial"\n', ""));
    await expect(readConfig(config(), first())).rejects.toThrow('needs a line name = "…" at its top');
  });
});

describe("wrangler.toml", () => {
  it.each([
    ["https://bindify.me.workers.dev", "", false],
    ["https://bindify.test", "", true],
    ["https://bindify.test", 'routes = [{ pattern = "bindify.test", custom_domain = true }]\n', false],
    ["https://bindify.test", '[[routes]]\npattern = "bindify.test/*"\n', false],
  ])("%s with %j lacks a route: %j", async (url, routes, isMissing) => {
    const example = await readFile(join(root, "wrangler.toml.example"), "utf8");
    expect(missingRoute(`${routes}${example}`, url) !== undefined).toBe(isMissing);
  });

  it("keeps everything else as it is, and what is filled in twice counts once", async () => {
    const example = await readFile(join(root, "wrangler.toml.example"), "utf8");
    const filling = { databaseId: "a", blobsId: "b", variables: { PUBLIC_URL: 'https://x.test/"$&' } };
    const filled = fillConfig(fillConfig(example, { databaseId: "z", blobsId: "z" }), filling);
    const added = filled.split("\n").filter((line) => !example.split("\n").includes(line));
    expect(added).toEqual(['database_id = "a"', 'id = "b"', String.raw`PUBLIC_URL = "https://x.test/\"$&"`]);
  });
});
