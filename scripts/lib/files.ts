import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { Problem } from "./command.ts";

/** The repository's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The folder of the local instance: its secrets, its database, its log. */
export function stateDir(): string {
  return resolve(root, process.env["STATE_DIR"] || ".local");
}

/** Creates the folder if need be and closes it to other users of the machine. */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
  } catch (error) {
    throw new Problem(
      `The state folder ${folder} cannot be used (${codeOf(error)}). Set STATE_DIR to another one.`,
    );
  }
}

/** Writes JSON that only the owner can read; a reader never sees half of it. */
export async function writePrivateJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

/** The parsed file; `undefined` where there is none. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new Problem(`${path} cannot be read (${codeOf(error)}).`);
  }
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new Problem(`${path} is damaged. Restore it, or move it away and run the command again.`);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The `code` of a system error, such as `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
