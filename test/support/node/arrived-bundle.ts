import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { deployedVersion, type Account } from "./cloudflare-double/account.ts";
import { onlyWorker } from "./deployed-worker.ts";

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");

/**
 * What `npm run bundle-hash` promises of a deployment, computed from the bytes that arrived: the worker's script, the
 * page and the compatibility settings. The page's headers are no file of it, so those of the sources in `clone` count.
 */
export async function hashOfArrived(account: Account, clone: string): Promise<string> {
  const { metadata, modules, page } = deployedVersion(onlyWorker(account));
  const { compatibility_date: date, compatibility_flags: flags } = metadata;
  const compatibility = [
    `compatibility_date = ${JSON.stringify(date)}`,
    `compatibility_flags = ${JSON.stringify(flags).replaceAll(",", ", ")}`,
  ].join("\n");
  const files: (readonly [name: string, data: string | Buffer])[] = Object.entries(page).map(
    ([path, hash]) => [`page${path}`, Buffer.from(account.files.get(hash) ?? "", "base64")],
  );
  files.push(["page/_headers", await readFile(join(clone, "src/dashboard/_headers"))]);
  const parts = [
    ["compatibility", compatibility] as const,
    ["worker/worker.js", modules.get("worker.js") ?? ""] as const,
    ...files.toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ];
  return sha256(parts.map(([name, data]) => `${sha256(data)}  ${name}\n`).join(""));
}
