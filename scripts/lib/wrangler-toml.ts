import { Problem } from "./command.ts";

/** What a deployment adds to wrangler.toml.example. */
export interface Filling {
  readonly databaseId?: string;
  readonly blobsId?: string;
  /** Values of `[vars]` by name. */
  readonly variables?: Readonly<Record<string, string>>;
}

const { stringify } = JSON;

/** The configuration with ids and variables filled in; comments and everything else stay as they are. */
export function fillConfig(text: string, { databaseId, blobsId, variables = {} }: Filling): string {
  let filled = text;
  const put = (name: string, pattern: RegExp, replacement: string): void => {
    if (!pattern.test(filled)) throw new Problem(`wrangler.toml has no line for ${name} any more.`);
    filled = filled.replace(pattern, () => replacement);
  };
  if (databaseId !== undefined) {
    const [line = ""] = /^database_name = .*$/m.exec(filled) ?? [];
    filled = filled.replace(/^database_id = .*\n/m, "");
    put("database_name", /^database_name = .*$/m, `${line}\ndatabase_id = ${stringify(databaseId)}`);
  }
  if (blobsId !== undefined) {
    filled = filled.replace(/^(binding = "BLOBS"\n)id = .*\n/m, "$1");
    put("BLOBS", /^binding = "BLOBS"$/m, `binding = "BLOBS"\nid = ${stringify(blobsId)}`);
  }
  for (const [name, value] of Object.entries(variables)) {
    put(name, new RegExp(`^${name} = ".*"$`, "m"), `${name} = ${stringify(value)}`);
  }
  return filled;
}

/** What a configuration says already; an empty variable counts as not set. */
export function readFilling(
  text: string,
): Required<Filling> & { readonly workerName: string; readonly databaseName: string } {
  const value = (pattern: RegExp, within = text): string => pattern.exec(within)?.[1] ?? "";
  // Above the first table: limits have names too.
  const [top = ""] = text.split(/^\[/m);
  const [, below = ""] = text.split(/^\[vars\]$/m);
  const variables = [...below.matchAll(/^([A-Z][A-Z0-9_]*) = "(.*)"$/gm)].map(([, name = "", set = ""]) => [
    name,
    set,
  ]);
  return {
    workerName: value(/^name = "(.*)"$/m, top),
    databaseName: value(/^database_name = "(.*)"$/m),
    databaseId: value(/^database_id = "(.*)"$/m),
    blobsId: value(/^binding = "BLOBS"\nid = "(.*)"$/m),
    variables: Object.fromEntries(variables.filter(([, set]) => set !== "")),
  };
}
