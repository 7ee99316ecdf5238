import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

export interface Needle {
  readonly what: string;
  readonly bytes: Buffer;
}

export interface Search {
  readonly files: number;
  readonly bytes: number;
  /** One sentence part for each find. */
  readonly leaks: readonly string[];
}

/** Looks for secrets in everything that the running worker stored or logged, in each form it could have. */
export async function findLeaks(folder: string, needles: readonly Needle[]): Promise<Search> {
  const forms = needles.flatMap(({ what, bytes }) => formsOf(bytes).map((form) => ({ what, form })));
  const leaks = new Set<string>();
  let files = 0;
  let size = 0;
  for (const path of await filesToSearch(folder)) {
    const content = await readFile(path);
    files += 1;
    size += content.length;
    for (const { what, form } of forms) {
      if (content.includes(form)) leaks.add(`${what} is in ${relative(folder, path)}`);
    }
  }
  return { files, bytes: size, leaks: [...leaks] };
}

async function filesToSearch(folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(folder, "v3"), { recursive: true, withFileTypes: true });
  const stored = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return [...stored, join(folder, "worker.log")];
}

/** The bytes as they are, in UTF-16, hexadecimal, and base64 in each of its three alignments. */
function formsOf(bytes: Buffer): readonly Buffer[] {
  const text = [bytes.toString("hex"), bytes.toString("hex").toUpperCase(), ...base64Forms(bytes)];
  return [bytes, Buffer.from(bytes.toString("latin1"), "utf16le"), ...text.map((form) => Buffer.from(form))];
}

function base64Forms(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64url");
    // The first and the last characters also depend on the neighbours, whatever those are.
    const sure = encoded.slice(offset === 0 ? 0 : offset + 1, Math.floor(((offset + bytes.length) * 8) / 6));
    return [sure, sure.replaceAll("-", "+").replaceAll("_", "/")];
  });
}
