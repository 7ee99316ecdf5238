import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fingerprintOfKey, newMasterKey } from "../../scripts/lib/master-key.ts";
import { createKeysFile, readKeysFile, replaceKeys } from "../../scripts/rotate-keys/keys-file.ts";
import { root } from "../../scripts/lib/files.ts";
import { parseKeyring } from "../../src/vault/keyring.ts";
import { runCli } from "../support/node/run-cli.ts";

const main = (name: string) => join(root, "scripts", name, "main.ts");
const key = newMasterKey();
const list = (...keys: string[]) => JSON.stringify(keys.map((one) => ({ key: one })));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-keys-"));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

async function write(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text, { mode });
  await chmod(path, mode);
  return path;
}

/** The sentence of a refusal, which must not repeat a byte of what it refuses. */
async function refusal(path: string): Promise<string> {
  const error: unknown = await readKeysFile(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const message = error instanceof Error ? error.message : "";
  for (let at = 0; at + 8 <= key.length; at += 1) expect(message).not.toContain(key.slice(at, at + 8));
  return message;
}

describe("rotate-keys: the keys file", () => {
  it("takes a private file outside of any repository", async () => {
    const path = await write("good.json", list(key));
    expect(await readKeysFile(path)).toEqual({ path, keys: [key], fingerprints: [fingerprintOfKey(key)] });
  });

  it("T15 refuses one inside a git repository, however deep, and behind a linked folder", async () => {
    await mkdir(join(folder, "repository/.git"), { recursive: true });
    await mkdir(join(folder, "repository/deep/deeper"), { recursive: true });
    const path = await write("repository/deep/deeper/keys.json", list(key));
    expect(await refusal(path)).toContain("inside the git repository");
    await symlink(join(folder, "repository/deep"), join(folder, "elsewhere"));
    expect(await refusal(join(folder, "elsewhere/deeper/keys.json"))).toContain("inside the git repository");
  });

  it("T15 refuses one inside a worktree, where .git is a file", async () => {
    await mkdir(join(folder, "worktree"));
    await writeFile(join(folder, "worktree/.git"), "gitdir: elsewhere\n");
    expect(await refusal(await write("worktree/keys.json", list(key)))).toContain(
      "inside the git repository",
    );
  });

  it.each([0o640, 0o604, 0o660, 0o610])("T15 refuses the mode %o", async (mode) => {
    expect(await refusal(await write(`mode-${mode}.json`, list(key), mode))).toContain("chmod 600");
  });

  it("refuses a symbolic link, a folder and nothing at all", async () => {
    await symlink(await write("target.json", list(key)), join(folder, "link.json"));
    expect(await refusal(join(folder, "link.json"))).toContain("symbolic link");
    expect(await refusal(folder)).toContain("not a plain file");
    expect(await refusal(join(folder, "none.json"))).toContain("--init");
    expect(await refusal(join(folder, "none/none.json"))).toContain("cannot be used");
  });

  it.each([
    ["no JSON", `[{"key":"${key}"`, "is not valid JSON"],
    ["no list", `{"key":"${key}"}`, "must be a JSON array"],
    ["an empty list", "[]", "at least one key"],
    ["nothing", "", "at least one key"],
    ["a bare key", `["${key}"]`, "[0]: must be an object"],
    ["a short key", list(newMasterKey(), key.slice(2)), "[1]: must be 64 hexadecimal"],
    ["a repeated key", list(key, key), "[1]: repeats the key of MANAGED_ENCRYPTION_KEYS[0]"],
    ["a key as a name", JSON.stringify([{ key, [key]: 1 }]), "[0]: must have no property"],
    ["zeros", list("0".repeat(64)), "[0]: is all zeros"],
  ])("T18 names the entry of a malformed file and nothing of what it holds: %s", async (_, text, reason) => {
    expect(await refusal(await write("malformed.json", text))).toContain(reason);
  });

  it("keeps a private backup beside it, and replaces the file as a whole", async () => {
    const path = join(folder, "replaced.json");
    const file = await createKeysFile(path, [key]);
    const second = newMasterKey();
    const backup = await replaceKeys(file, [key, second], new Date());
    expect((await readKeysFile(path)).keys).toEqual([key, second]);
    expect((await readKeysFile(backup)).keys).toEqual([key]);
    for (const one of [path, backup]) expect((await stat(one)).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.endsWith(".new"))).toEqual([]);
    await expect(createKeysFile(path, [key])).rejects.toThrow("exists already");
  });

  it("does not write over what somebody else wrote meanwhile", async () => {
    const path = join(folder, "raced.json");
    const file = await createKeysFile(path, [key]);
    const theirs = newMasterKey();
    await writeFile(path, list(key, theirs));
    await expect(replaceKeys(file, [key, newMasterKey()], new Date())).rejects.toThrow(
      "changed by somebody else",
    );
    expect(await readFile(path, "utf8")).toBe(list(key, theirs));
  });
});

describe("npm run generate-key", () => {
  it("prints a key that the worker takes, and its fingerprint", async () => {
    const { code, stdout } = await runCli(main("generate-key"), []);
    const [, printed = "", fingerprint] =
      /^key\s+([0-9a-f]{64})\nfingerprint\s+([0-9a-f]{16})\n$/.exec(stdout) ?? [];
    expect(code).toBe(0);
    expect((await parseKeyring({ keys: list(printed) }))?.fingerprints).toEqual([fingerprint]);
    expect((await runCli(main("generate-key"), [])).stdout).not.toContain(printed);
  });
});

const rotate = (...args: string[]) =>
  runCli(main("rotate-keys"), args, { env: { STATE_DIR: join(folder, "nobody") } });

describe("npm run rotate-keys: command line", () => {
  it("documents itself and its exit codes", async () => {
    expect(await rotate("--help")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Exit codes: 0 done."),
    });
  });

  it.each([
    [["--env", "local"], "--keys-file PATH is missing"],
    [["--keys-file", "x"], "--env must be one of local, staging, production"],
    [["--keys-file", "x", "--env", "moon"], "--env must be one of"],
    [["--keys-file", "x", "--env", "local", "--remove", key], "--remove takes a fingerprint"],
    [
      ["--keys-file", "x", "--env", "local", "--remove", "a".repeat(16), "--reencrypt"],
      "a command of its own",
    ],
    [["--keys-file", "x", "--env", "local", "--wait", "soon"], "--wait takes minutes"],
    [["--keys-file", "x", "--env", "local", "--config", "x.toml"], "--config is for a deployment"],
    [["--keys", "x"], "Unknown option"],
  ])("wrong usage ends with 2: %j", async (args, reason) => {
    const { code, stderr } = await rotate(...args);
    expect(stderr).toContain(reason);
    expect(stderr).not.toContain(key);
    expect(code).toBe(2);
  });

  it("says which configuration is missing", async () => {
    const path = join(folder, "none.toml");
    const { code, stderr } = await rotate("--keys-file", "x", "--env", "production", "--config", path);
    expect(stderr).toContain(`There is no ${path}.`);
    expect(code).toBe(1);
  });

  it("says what is missing where nothing runs", async () => {
    const { code, stderr } = await rotate("--keys-file", "x", "--env", "local");
    expect(stderr).toContain("No local Bindify is running");
    expect(code).toBe(1);
  });
});
