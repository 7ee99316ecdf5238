import { constants, existsSync } from "node:fs";
import { lstat, open, realpath, rename } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { codeOf } from "../lib/files.ts";
import { Problem } from "../lib/command.ts";
import { keysText, parseKeysText, type KeysText } from "../lib/keys-text.ts";

const largest = 64 * 1024;

export interface KeysFile extends KeysText {
  readonly path: string;
}

/** The operator's list of keys. Throws `Problem` where it lies or is kept in a way that would give the keys away. */
export async function readKeysFile(given: string): Promise<KeysFile> {
  const path = await placeOf(given);
  return { path, ...(await parseKeysText(await readPrivate(path), path)) };
}

/** The absolute path, once its folder is known to be in no repository. */
async function placeOf(given: string): Promise<string> {
  const path = resolve(given);
  let folder: string;
  try {
    folder = await realpath(dirname(path));
  } catch (error) {
    throw new Problem(`The folder ${dirname(path)} cannot be used (${codeOf(error)}).`);
  }
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) {
      throw new Problem(
        `${path} is inside the git repository ${at}: master keys would sooner or later be committed. Keep the file elsewhere.`,
      );
    }
    if (at === dirname(at)) return path;
  }
}

async function readPrivate(path: string): Promise<string> {
  const handle = await openExisting(path);
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new Problem(`${path} is not a plain file.`);
    if (process.platform !== "win32") {
      if ((status.mode & 0o077) !== 0) {
        throw new Problem(`${path} can be read by other users. Close it first: chmod 600 ${path}`);
      }
      if (status.uid !== process.getuid?.()) throw new Problem(`${path} belongs to another user.`);
    }
    if (status.size > largest) throw new Problem(`${path} is too large to be a list of keys.`);
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

async function openExisting(path: string) {
  try {
    // Where the system has no O_NOFOLLOW the look beforehand is what there is.
    if ((await lstat(path)).isSymbolicLink())
      throw new Problem(`${path} is a symbolic link. Give the file itself.`);
    return await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (codeOf(error) === "ENOENT") {
      throw new Problem(
        `${path} does not exist. It has to hold the keys that the deployment has now; a secret cannot be read back ` +
          "from Cloudflare. For the local Bindify, or a deployment that never had a key, --init makes it.",
      );
    }
    throw new Problem(`${path} cannot be read (${codeOf(error)}).`);
  }
}

/** Makes the file; refuses where there is one. */
export async function createKeysFile(given: string, keys: readonly string[]): Promise<KeysFile> {
  const path = await placeOf(given);
  await writeNew(path, keysText(keys));
  return await readKeysFile(path);
}

/**
 * Keeps the file as it is beside it, then puts other keys in its place; a crash leaves the one or the other. Answers
 * the backup's path. Throws `Problem` where somebody else changed the file meanwhile.
 */
export async function replaceKeys(file: KeysFile, keys: readonly string[], now: Date): Promise<string> {
  const present = await readKeysFile(file.path);
  if (keysText(present.keys) !== keysText(file.keys)) {
    throw new Problem(`${file.path} was changed by somebody else meanwhile. Run the command again.`);
  }
  const stamp = now.toISOString().replace(/[-:]/g, "");
  const backup = `${file.path}.${stamp}.backup`;
  await writeNew(backup, keysText(file.keys));
  const next = `${file.path}.${stamp}.new`;
  await writeNew(next, keysText(keys));
  await rename(next, file.path);
  await syncFolder(dirname(file.path));
  return backup;
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    const handle = await open(path, "wx", 0o600);
    try {
      await handle.writeFile(`${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    const reason = codeOf(error) === "EEXIST" ? "exists already" : `cannot be written (${codeOf(error)})`;
    throw new Problem(`${path} ${reason}.`);
  }
}

/** A key that is in use and in no file any more would be lost for good: the new name has to outlast a power cut. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
