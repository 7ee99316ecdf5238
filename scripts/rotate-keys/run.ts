import { removeWrappingsStatement, requestStatements } from "../../src/store/rotation-queries.ts";
import { Problem, quoted } from "../lib/command.ts";
import { keysText } from "../lib/keys-text.ts";
import { fingerprintOfKey, newMasterKey } from "../lib/master-key.ts";
import { readFacts } from "./facts.ts";
import { readKeysFile, replaceKeys, type KeysFile } from "./keys-file.ts";
import {
  type Acting,
  type Done,
  type Facts,
  isWaiting,
  plan,
  shareOf,
  type Step,
  upcoming,
  type Wish,
} from "./plan.ts";
import type { Progress } from "./progress.ts";
import type { Target } from "./target.ts";
import { clockTime, intentions, refused, waiting } from "./wording.ts";

export interface Run {
  readonly target: Target;
  readonly keysFile: string;
  readonly wish: Wish;
  /** How long to go on without any change, ms. */
  readonly patience: number;
  readonly dryRun: boolean;
  readonly say: (line: string) => void;
  readonly progress: Progress;
  /** Asks whether to begin. */
  readonly confirm: (question: string) => Promise<boolean>;
}

export type Outcome =
  | { readonly outcome: "done"; readonly step: Extract<Step, { do: "done" }>; readonly file: KeysFile }
  | { readonly outcome: "waiting" | "declined" | "dry_run" };

const legacy = "MANAGED_ENCRYPTION_MASTER_KEY";

/** How often one run asks for a rotation before it takes the workers for unable to finish one. */
const requests = 5;

/** Goes from step to step until nothing is left to do. Throws `Problem` for a refusal. */
export async function rotate(run: Run): Promise<Outcome> {
  const { target, wish, say, progress } = run;
  let file = await readKeysFile(run.keysFile);
  let done: Done = { sent: false, added: false };
  let begun = false;
  let asked = 0;
  let changed = { what: "", at: performance.now() };
  for (;;) {
    const facts = await readFacts(target, file.fingerprints, questioned(file, wish));
    const step = plan(facts, wish, done);
    const state = JSON.stringify([step, facts.progress, facts.rotation]);
    if (state !== changed.what) changed = { what: state, at: performance.now() };
    if (step.do === "refuse") throw new Problem(refused(step.refusal));
    if (run.dryRun) return dryRun(run, step, facts);
    if (step.do === "done") {
      progress.end();
      return { outcome: "done", step, file };
    }
    if (isWaiting(step)) {
      progress.show(
        waiting(step, facts),
        step.do === "await_rotation" ? shareOf(facts) : undefined,
        facts.now,
      );
      if (performance.now() - changed.at > run.patience) {
        progress.end();
        return { outcome: "waiting" };
      }
      await new Promise((resolve) => setTimeout(resolve, target.interval));
      await target.hurry?.();
      continue;
    }
    progress.end();
    if (!begun) {
      const steps = upcoming(step, wish).map((name, at) => `  ${at + 1}. ${intentions[name]}`);
      if (!(await run.confirm(`On ${target.name}:\n${steps.join("\n")}`))) return { outcome: "declined" };
      begun = true;
    }
    if (step.do === "request" && ++asked > requests) {
      throw new Problem(
        "The workers do not finish the rotation. Their log says why (job_failed, grant_unreadable).",
      );
    }
    file = await perform(run, step, file, say);
    done = { sent: done.sent || step.do === "send", added: done.added || step.do === "add_key" };
    // What is in the file now was not sent yet.
    if (step.do === "add_key" || step.do === "drop_key") done = { ...done, sent: false };
  }
}

/** Which fingerprints the database is asked about. */
function questioned(file: KeysFile, { remove }: Wish): readonly string[] {
  return remove === undefined ? file.fingerprints.slice(0, -1) : [remove];
}

function dryRun(run: Run, step: Step, facts: Facts): Outcome {
  const steps = upcoming(step, run.wish);
  run.say(`On ${run.target.name} this would:`);
  for (const [at, name] of steps.entries()) run.say(`  ${at + 1}. ${intentions[name]}`);
  if (isWaiting(step)) run.say(`At the moment: ${waiting(step, facts)}.`);
  run.say("Nothing was changed.");
  return { outcome: "dry_run" };
}

/** One effect. Each may happen twice, and a run that dies in any of them leaves something that `plan` knows. */
async function perform(run: Run, step: Acting, file: KeysFile, say: Run["say"]): Promise<KeysFile> {
  const { target, wish } = run;
  const active = file.fingerprints.at(-1) ?? "";
  const at = clockTime(Date.now());
  switch (step.do) {
    case "add_key": {
      const key = newMasterKey();
      const backup = await replaceKeys(file, [...file.keys, key], new Date());
      say(`${at}  added the key ${fingerprintOfKey(key)} to ${file.path}; the file as it was: ${backup}`);
      return await readKeysFile(file.path);
    }
    case "drop_key": {
      await refuseLegacy(target);
      const kept = file.keys.filter((key) => fingerprintOfKey(key) !== wish.remove);
      const backup = await replaceKeys(file, kept, new Date());
      say(`${at}  took the key ${wish.remove} out of ${file.path}; the file as it was: ${backup}`);
      return await readKeysFile(file.path);
    }
    case "send":
      if (wish.remove !== undefined) await refuseLegacy(target);
      await target.putSecret(keysText(file.keys));
      say(`${at}  sent ${file.fingerprints.length} key(s) to ${target.name}; active: ${active}`);
      return file;
    case "request":
      await target.query(requestStatements(active, wish.reencrypt));
      say(
        `${at}  asked the workers for the rotation to ${active}${wish.reencrypt ? ", with re-encryption" : ""}`,
      );
      return file;
    case "delete_wrappings":
      await target.query(removeWrappingsStatement(wish.remove ?? ""));
      say(`${at}  deleted wrappings under ${wish.remove}`);
      return file;
  }
}

/** With the older form still set a list that lacks its key stops the worker: it fails closed. */
async function refuseLegacy(target: Target): Promise<void> {
  if (!(await target.secretNames?.())?.includes(legacy)) return;
  const command = ["npx wrangler secret delete", legacy, ...(target.selection ?? []).map(quoted)].join(" ");
  throw new Problem(
    `The deployment still has the secret ${legacy}, the older form. Its key is in the list too: delete that secret ` +
      `first (${command}), then run the command again.`,
  );
}
