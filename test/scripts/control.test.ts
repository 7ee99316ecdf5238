import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createControl } from "../../scripts/lib/control.ts";
import { startControl } from "../../scripts/start/control.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bindify-control-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const handlers = {
  query: (sql: string) => Promise.resolve([[{ sql }]]),
  put_managed_keys: () => Promise.reject(new Error("the reason")),
  run_cron: () => Promise.resolve([]),
};
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("the control socket of npm start", () => {
  it("is for its own user, answers rows, hands on the sentence of a failure, and goes with the process", async () => {
    const server = await startControl(folder, handlers);
    expect(server.socket).toBe(join(folder, "control.sock"));
    expect(await modeOf(server.socket)).toBe("600");
    const control = createControl(server.socket);
    expect(await control.query("SELECT 1")).toEqual([[{ sql: "SELECT 1" }]]);
    await expect(control.putManagedKeys("[]")).rejects.toThrow("the reason");
    await server.close();
    expect(existsSync(server.socket)).toBe(false);
    await expect(control.query("SELECT 1")).rejects.toThrow("does not answer any more");
  });

  it("moves to a private folder of its own where the state folder's path is too long for a socket", async () => {
    const deep = join(folder, "a".repeat(60), "b".repeat(60));
    await mkdir(deep, { recursive: true });
    const server = await startControl(deep, handlers);
    expect(server.socket.startsWith(deep)).toBe(false);
    expect(await modeOf(dirname(server.socket))).toBe("700");
    expect(await createControl(server.socket).query("x")).toEqual([[{ sql: "x" }]]);
    await server.close();
    expect(existsSync(dirname(server.socket))).toBe(false);
  });
});
