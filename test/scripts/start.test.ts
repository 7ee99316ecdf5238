import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownEnvironment } from "../support/node/environment.ts";
import { freePort } from "../support/node/free-port.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let env: NodeJS.ProcessEnv;

interface Running {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** The launcher without npm, as any process manager would call it. */
function launch(args: readonly string[], more: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ["scripts/launch.mjs", ...args], {
    cwd: root,
    env: { ...env, ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code]) => (typeof code === "number" ? code : null));
  return { process: child, output: () => output, ended };
}

async function ready(running: Running): Promise<void> {
  const line = new RegExp(`^ready http://127\\.0\\.0\\.1:${env["PORT"]}$`, "m");
  const end = running.ended.then(() => {
    throw new Error(`It ended before it was ready:\n${running.output()}`);
  });
  const wait = async () => {
    while (!line.test(running.output())) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await Promise.race([wait(), end]);
}

async function run(args: readonly string[], more?: Record<string, string>) {
  const running = launch(args, more);
  return { code: await running.ended, output: running.output().trim() };
}

const modeOf = async (name: string) => ((await stat(join(folder, name))).mode & 0o777).toString(8);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-start-"));
  env = {
    ...ownEnvironment(),
    STATE_DIR: folder,
    PORT: String(await freePort()),
    DEMO_PORT: String(await freePort()),
  };
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

describe("npm start and what runs beside it", () => {
  it("says what to do when nothing runs", async () => {
    expect(await run(["token"])).toEqual({
      code: 1,
      output: `No local Bindify is running over STATE_DIR=${folder}. Start one with \`npm start\` in another terminal.`,
    });
  });

  it("serves, shows the main job, keeps its data, and leaves nothing behind", async () => {
    const first = launch(["start"]);
    await ready(first);
    // The random link may spell anything.
    expect(first.output().replace(/sign_in=\S+/, "")).not.toMatch(/warn|error|deprecat|\n\s+at /i);
    expect(await modeOf("secrets.json")).toBe("600");
    expect(await modeOf("instance.json")).toBe("600");
    expect(await modeOf("control.sock")).toBe("600");
    expect(await modeOf("")).toBe("700");
    const secrets = await readFile(join(folder, "secrets.json"), "utf8");

    const token = await run(["token", "--user", "ada"]);
    const me = () =>
      fetch(`http://127.0.0.1:${env["PORT"]}/api/me`, {
        headers: { Authorization: `Bearer ${token.output}` },
      });
    const before: unknown = await (await me()).json();
    expect(before).toMatchObject({ email: "ada@localhost", identity: "local" });

    const demo = await run(["demo"]);
    expect(demo.output).toMatch(/As promised, in \d+\.\d s\.$/);
    expect(demo.code).toBe(0);

    const second = await run(["start"]);
    expect(second).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^Bindify already runs over .*\.$/),
    });

    first.process.kill("SIGTERM");
    expect(await first.ended).toBe(0);
    await expect(me()).rejects.toThrow();
    await expect(stat(join(folder, "instance.json"))).rejects.toThrow();
    await expect(stat(join(folder, "control.sock"))).rejects.toThrow();

    const again = launch(["start"]);
    await ready(again);
    expect(await (await me()).json()).toEqual(before);
    expect(await readFile(join(folder, "secrets.json"), "utf8")).toBe(secrets);
    again.process.kill("SIGINT");
    expect(await again.ended).toBe(0);
  });

  it.each(["PORT", "DEMO_PORT"])("names %s when that port is busy", async (variable) => {
    const busy = createServer().listen(Number(env[variable]), "127.0.0.1");
    await once(busy, "listening");
    const { code, output } = await run(["start"]);
    busy.close();
    expect(code).toBe(1);
    expect(output).toMatch(
      new RegExp(`^Port ${env[variable]}, .* is in use\\. .* ${variable}=\\d+ npm start$`),
    );
  });

  it("refuses ports that are none, and unknown options", async () => {
    expect((await run(["start"], { PORT: "http" })).output).toContain("PORT=http is not a port");
    expect((await run(["start", "--prot=1"])).output).toContain("Unknown option '--prot'");
  });

  it.each(["start", "token", "demo", "test", "bench", "generate-key", "rotate-keys", "seed", "prove"])(
    "%s --help prints its usage",
    async (name) => {
      expect(await run([name, "--help"])).toMatchObject({ code: 0, output: expect.stringContaining(`npm`) });
    },
  );
});
