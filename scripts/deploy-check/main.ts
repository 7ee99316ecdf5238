import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem, readArguments, runCommand } from "../lib/command.ts";
import { dryRun } from "../lib/dry-run.ts";

const usage = `
npm run deploy-check

Fills placeholder ids into a copy of wrangler.toml.example and runs \`wrangler deploy --dry-run\` with it: everything of
a deployment but the upload. Needs no account and no network.
`;

/** What a deployment cannot do without; wrangler lists the bindings that it would make. */
const bindings = [
  "env.DB",
  "env.BLOBS",
  "env.CONNECTION_LIMIT",
  "env.MISS_LIMIT",
  "env.USER_LIMIT",
  "env.ASSETS",
];

await runCommand(usage, async () => {
  readArguments({ options: {} });
  const folder = await mkdtemp(join(tmpdir(), "bindify-deploy-check-"));
  try {
    const said = await dryRun(folder);
    const missing = bindings.filter((binding) => !said.includes(binding));
    if (missing.length > 0) throw new Problem(`wrangler would not bind ${missing.join(", ")}:\n${said}`);
    // wrangler takes unknown keys with a warning: a misspelt setting would be off in silence.
    if (/\bWARNING\b/.test(said)) throw new Problem(`wrangler warns:\n${said}`);
    console.log("wrangler deploy --dry-run: passed, with every binding and no warning");
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
