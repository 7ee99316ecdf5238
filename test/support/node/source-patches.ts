import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { root } from "../../../scripts/lib/files.ts";

/** One change to one file of the worker. */
export interface SourcePatch {
  /** Below `src/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Changes sources while they are bundled. A change that does not fit its file any more is an error, as is one unused. */
export function patchSources(patches: readonly SourcePatch[]): Plugin {
  return {
    name: "source-patches",
    setup(build) {
      const unused = new Set(patches.map(({ file }) => file));
      for (const file of unused) {
        const path = join(root, "src", file);
        const own = patches.filter((patch) => patch.file === file);
        build.onLoad({ filter: new RegExp(`/src/${file.replaceAll(".", "\\.")}$`) }, async () => {
          unused.delete(file);
          return { contents: own.reduce(apply, await readFile(path, "utf8")), loader: "ts" };
        });
      }
      build.onEnd(() => {
        if (unused.size > 0) throw new Error(`not part of the worker: ${[...unused].join(", ")}`);
      });
    },
  };
}

function apply(text: string, { file, find, replace }: SourcePatch): string {
  const times = text.split(find).length - 1;
  if (times === 1) return text.split(find).join(replace);
  throw new Error(`src/${file} holds ${JSON.stringify(find)} ${times} times, not once`);
}
