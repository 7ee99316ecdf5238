import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { root } from "./files.ts";

const run = promisify(execFile);

/** The commit that the folder is at, where git knows one and nothing was changed since. */
export async function cleanCommit(): Promise<string | undefined> {
  try {
    const { stdout: changes } = await run("git", ["status", "--porcelain", "--untracked-files=no"], {
      cwd: root,
    });
    if (changes.trim() !== "") return undefined;
    const { stdout } = await run("git", ["rev-parse", "HEAD"], { cwd: root });
    return stdout.trim();
  } catch {
    // No git, or an archive without history: then there is no commit to name.
    return undefined;
  }
}
