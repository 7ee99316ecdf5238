import { createInterface } from "node:readline/promises";
import { Problem, runCommand } from "../lib/command.ts";
import { newMasterKey } from "../lib/master-key.ts";
import { requireInstance } from "../lib/instance.ts";
import { readSecrets } from "../lib/secrets.ts";
import { readFacts } from "./facts.ts";
import { createKeysFile } from "./keys-file.ts";
import { localTarget } from "./local.ts";
import { next } from "./next.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { createProgress } from "./progress.ts";
import { rotate } from "./run.ts";
import type { Target } from "./target.ts";

const waitingCode = 3;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    console.error("\nInterrupted. Nothing is lost: run the same command again, and it goes on from here.");
    process.exit(130);
  });
}

await runCommand(usage, async () => {
  const options = readOptions(process.argv.slice(2));
  const target = options.environment === "local" ? await localTarget() : await remoteTarget(options);
  if (options.init) return await init(options, target);
  const result = await rotate({
    target,
    keysFile: options.keysFile,
    wish: options,
    patience: options.patience,
    dryRun: options.dryRun,
    say: (line) => console.log(line),
    progress: createProgress(process.stdout),
    confirm: (question) => confirm(question, options),
  });
  switch (result.outcome) {
    case "done":
      console.log(next(result.step, result.file, options));
      return 0;
    case "dry_run":
      return 0;
    case "declined":
      console.error("Nothing was changed.");
      return 1;
    case "waiting":
      console.error(
        "No progress for too long. Does the worker's cron run, and is this version deployed? The worker's log says " +
          "what its minute job does. Run the same command again to go on.",
      );
      return waitingCode;
  }
});

/** Loaded when it is wanted: wrangler is a large program. */
async function remoteTarget({ environment, config }: Options): Promise<Target> {
  const { wranglerTarget } = await import("./wrangler.ts");
  return wranglerTarget({ environment, ...(config === undefined ? {} : { config }) });
}

async function confirm(question: string, { yes }: Options): Promise<boolean> {
  console.log(question);
  if (yes) return true;
  if (!process.stdin.isTTY) throw new Problem("There is nobody to ask: add --yes to go on.");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // readline takes Ctrl-C for itself.
  terminal.once("SIGINT", () => process.kill(process.pid, "SIGINT"));
  const answer = await terminal.question("Go on? [y/N] ");
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}

async function init(options: Options, target: Target): Promise<number> {
  const keys = options.environment === "local" ? await localKeys() : await firstKey(target);
  if (options.dryRun) {
    console.log(`This would write ${keys.length} key(s) to ${options.keysFile}. Nothing was changed.`);
    return 0;
  }
  const file = await createKeysFile(options.keysFile, keys);
  console.log(
    `${file.path} holds ${keys.length} key(s) now: ${file.fingerprints.join(", ")}. Keep a copy where you keep ` +
      "passwords: without it managed connections of that deployment can be opened by nobody once its secret is gone.\n" +
      "Next: the same command without --init.",
  );
  return 0;
}

async function localKeys(): Promise<readonly string[]> {
  const { folder } = await requireInstance();
  const secrets = await readSecrets(folder);
  if (secrets === undefined) throw new Problem(`There is no secrets.json in ${folder}.`);
  return secrets.managedKeys.map(({ key }) => key);
}

/** A deployment that has keys cannot tell them: a file with another one would only lead astray. */
async function firstKey(target: Target): Promise<readonly string[]> {
  const facts = await readFacts(target, ["0".repeat(16)], []);
  if (facts.reports.length > 0 || facts.progress.dataKeys > 0) {
    throw new Problem(
      "This deployment has master keys already, and a secret cannot be read back. Find the file that holds them; " +
        "the README, section Rotate the master keys, says what to do if it is lost.",
    );
  }
  return [newMasterKey()];
}
