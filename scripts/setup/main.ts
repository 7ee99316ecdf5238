import { stop } from "esbuild";
import { writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { hashBundle } from "../bundle-hash/bundle.ts";
import { Problem, runCommand } from "../lib/command.ts";
import { cleanCommit } from "../lib/commit.ts";
import { root } from "../lib/files.ts";
import { fillConfig, readFilling } from "../lib/wrangler-toml.ts";
import { createAsking, type Asking } from "./asking.ts";
import { createCommands, type Commands } from "./commands.ts";
import { firstConfig, readConfig } from "./config.ts";
import { ensureMasterKey } from "./master-key.ts";
import { readOptions, usage, type Options } from "./options.ts";
import { askBeforeReplacing, ensureDatabase, ensureNamespace } from "./resources.ts";
import { chooseVariables, missingRoute } from "./variables.ts";

/** Ids are written as soon as they are known, so that a second run finds them. */
async function configure(options: Options, commands: Commands, asking: Asking): Promise<void> {
  const name = relative(root, options.config) || options.config;
  let config = await readConfig(options.config);
  const keep = async (next: string): Promise<void> => {
    if (next === config) return;
    config = next;
    if (options.isDryRun) return;
    await writeFile(options.config, config);
    console.log(`  wrote ${name}`);
  };
  await keep(fillConfig(config, { variables: await chooseVariables(config, options, asking) }));
  await signIn(commands);
  const { workerName, databaseName, databaseId, blobsId } = readFilling(config);
  if (databaseId === "") {
    await askBeforeReplacing(commands, workerName, options.config);
    const id = await ensureDatabase(commands, databaseName, options.place);
    if (id !== undefined) await keep(fillConfig(config, { databaseId: id }));
  }
  if (blobsId === "") {
    const id = await ensureNamespace(commands, `${workerName}-blobs`);
    if (id !== undefined) await keep(fillConfig(config, { blobsId: id }));
  }
}

async function signIn(commands: Commands): Promise<void> {
  const ended = await commands.look(["whoami", "--json"]);
  if (ended?.code === 0) return;
  const said = ended === undefined ? "" : `${ended.stdout}${ended.stderr}`;
  // Where nobody is signed in that is its answer, and no error: with a wrong token or no network `login` would not help.
  const isAnswer = !said.includes("[ERROR]") || said.includes("expired and could not be refreshed, and");
  if (ended !== undefined && (ended.code === null || !isAnswer)) {
    throw new Problem(
      `${said}\nwrangler ${ended.how}: it could not ask Cloudflare who is signed in. Put the token (CLOUDFLARE_API_TOKEN) or the ` +
        "connection right, or sign in again with `npx wrangler login`; then run the command again.",
    );
  }
  await commands.change("wrangler is not signed in:", ["login"], { interactive: true });
}

/** What the deployment will say of itself in /version. */
async function releaseArguments(isDryRun: boolean): Promise<readonly string[]> {
  if (isDryRun) return ["--var", "COMMIT:<commit>", "--var", "BUNDLE_HASH:<hash>"];
  const { hash } = await hashBundle();
  await stop();
  const commit = await cleanCommit();
  if (commit === undefined) console.log("  The folder is at no clean commit, so /version will name none.");
  return [...(commit === undefined ? [] : ["--var", `COMMIT:${commit}`]), "--var", `BUNDLE_HASH:${hash}`];
}

await runCommand(usage, async () => {
  const options = readOptions();
  const asking = createAsking(options.assumeYes || options.isDryRun);
  const commands = createCommands(asking, options.isDryRun);
  try {
    await configure(options, commands, asking);
    const config = ["--config", options.config];
    await commands.change("The tables:", ["d1", "migrations", "apply", "DB", "--remote", ...config]);
    const release = await releaseArguments(options.isDryRun);
    // wrangler does not tell the build of the page which configuration it deploys.
    const env = { PAGE_CONFIG: options.config === firstConfig ? "" : options.config };
    await commands.change("The worker and the page:", ["deploy", ...config, ...release], { env });
    const { workerName } = readFilling(await readConfig(options.config));
    await ensureMasterKey(commands, asking, { config: options.config, workerName });
  } finally {
    asking.close();
  }
  if (options.isDryRun) {
    console.log("Nothing was run and nothing was written.");
    return 0;
  }
  const config = await readConfig(options.config);
  const url = readFilling(config).variables["PUBLIC_URL"];
  if (url === undefined) throw new Problem("PUBLIC_URL is not set.");
  const missing = missingRoute(config, url);
  if (missing !== undefined) console.log(missing);
  console.log(`Done. ${url}/version says what runs; a missing setting answers each request with its name.`);
  return 0;
});
