import { open } from "node:fs/promises";
import { join } from "node:path";

export interface LogFile {
  readonly path: string;
  readonly write: (level: string, message: string) => void;
  readonly close: () => Promise<void>;
}

/** The log of this run. What the worker prints would bury what a newcomer has to read, so it goes to a file. */
export async function openLog(folder: string): Promise<LogFile> {
  const path = join(folder, "worker.log");
  const file = await open(path, "w", 0o600);
  const stream = file.createWriteStream();
  return {
    path,
    write(level, message) {
      // The worker prints no credential; workerd's own messages are not ours to vouch for.
      const safe = message.replace(/[A-Za-z0-9_-]{43,}/g, "[redacted]");
      stream.write(`${new Date().toISOString()} ${level} ${safe}\n`);
    },
    close: () =>
      new Promise((resolve, reject) => {
        stream.on("error", reject);
        stream.end(resolve);
      }),
  };
}
