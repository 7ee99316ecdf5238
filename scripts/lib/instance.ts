import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Problem } from "./command.ts";
import { readJson, stateDir, writePrivateJson } from "./files.ts";

const instanceSchema = z.object({
  pid: z.number().int().positive(),
  /** Origin of the worker, and of the page. */
  url: z.string(),
  /** Origin of the demo service. */
  demoUrl: z.string(),
  /** The socket that operators' scripts speak to it through; null until it serves. */
  control: z.string().nullable(),
  /** False until it serves. */
  ready: z.boolean(),
});

/** What `npm start` says about itself to the other commands. */
export type Instance = z.output<typeof instanceSchema>;

const fileOf = (folder: string) => join(folder, "instance.json");

export async function writeInstance(folder: string, instance: Instance): Promise<void> {
  await writePrivateJson(fileOf(folder), instance);
}

/** Synchronous, so that it also happens while the process exits. */
export function removeInstance(folder: string): void {
  rmSync(fileOf(folder), { force: true });
}

/** The instance that holds the folder, ready or not; a file that a crash left behind counts for nothing. */
export async function findInstance(folder: string): Promise<Instance | undefined> {
  const instance = await readJson(fileOf(folder), instanceSchema);
  return instance !== undefined && (await isStart(instance.pid)) ? instance : undefined;
}

/** The instance that serves, or a `Problem` that says how to get one. */
export async function requireInstance(): Promise<Instance & { readonly folder: string }> {
  const folder = stateDir();
  const instance = await findInstance(folder);
  if (instance === undefined) {
    const where = process.env["STATE_DIR"] ? ` over STATE_DIR=${process.env["STATE_DIR"]}` : "";
    throw new Problem(
      `No local Bindify is running${where}. Start one with \`npm start\` in another terminal.`,
    );
  }
  if (!instance.ready)
    throw new Problem("The local Bindify is still starting. Try again when it says it is ready.");
  return { ...instance, folder };
}

async function isStart(pid: number): Promise<boolean> {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  if (process.platform !== "linux") return true;
  // After a crash or a restart of the machine the number may belong to any other program.
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).includes("scripts/start/main.ts");
  } catch {
    return false;
  }
}
