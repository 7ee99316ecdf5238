import { Problem, readArguments } from "../lib/command.ts";
import type { Wish } from "./plan.ts";

export const usage = `
npm run rotate-keys -- --keys-file PATH --env local|staging|production [options]

Replaces the master key of managed storage while everything goes on running. It makes a new key, adds it to the keys
file, sends the file's keys to the deployment as the secret MANAGED_ENCRYPTION_KEYS, and asks the workers to wrap
every data key under the new one as well. It shows what it is about to do and asks before it begins. Then a second
command takes the old key away:

  npm run rotate-keys -- --keys-file PATH --env ENV --remove FINGERPRINT

Interrupted anywhere (Ctrl-C, a crash, no network), the same command goes on where it was: what is so is read from
the file and the database each time. A rotation takes about 20 minutes, most of it waiting until no deployment with
the old set of keys can be left, and 15 minutes longer with --reencrypt; it also goes on while this command does not
run.

  --keys-file PATH      the deployment's master keys, [{"key":"<64 hex>"}, …], the active one last: the text of
                        MANAGED_ENCRYPTION_KEYS. Outside of any git repository, readable by you alone. To use a key
                        of your own, append it; it must be the last one.
  --env ENV             local: the Bindify of \`npm start\`. staging, production: the environment of wrangler.toml
                        (production: its top level where there is no [env.production])
  --config PATH         the deployment's configuration where it is not wrangler.toml; not with local
  --init                make the keys file: local, with the keys that \`npm start\` has; otherwise with a first key,
                        for a deployment that never had one
  --remove FINGERPRINT  take a replaced key away; refused while anything needs it
  --reencrypt           replace the data keys too and seal every managed connection anew
  --emergency           the old key is known to somebody else: as --reencrypt, and says what else to do
  --new-key             begin with another new key although the one before was not removed yet
  --wait MINUTES        give up after so long without any progress; default 30
  --dry-run             say each step, change nothing
  --yes                 do not ask

Exit codes: 0 done. 1 refused, or a problem; the sentence says what to do. 2 wrong usage. 3 still waiting when it
gave up: run it again. 130 interrupted: run it again.
`;

export const environments = ["local", "staging", "production"] as const;

export interface Options extends Wish {
  readonly keysFile: string;
  readonly environment: (typeof environments)[number];
  /** The deployment's configuration, as it was given; undefined for wrangler.toml. */
  readonly config: string | undefined;
  readonly init: boolean;
  readonly emergency: boolean;
  /** How long without any progress, ms. */
  readonly patience: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** The command line, or a `Problem` with exit code 2. */
export function readOptions(args: readonly string[]): Options {
  const flag = { type: "boolean", default: false } as const;
  const { values } = readArguments({
    args: [...args],
    options: {
      "keys-file": { type: "string" },
      env: { type: "string" },
      config: { type: "string" },
      remove: { type: "string" },
      wait: { type: "string", default: "30" },
      init: flag,
      reencrypt: flag,
      emergency: flag,
      "new-key": flag,
      "dry-run": flag,
      yes: flag,
    },
  });
  const keysFile = values["keys-file"] ?? wrong("--keys-file PATH is missing.");
  const environment =
    environments.find((name) => name === values.env) ??
    wrong(`--env must be one of ${environments.join(", ")}.`);
  if (values.config !== undefined && environment === "local") {
    wrong("--config is for a deployment: the local Bindify has no configuration of its own.");
  }
  const remove = values.remove?.toLowerCase();
  if (remove !== undefined && !/^[0-9a-f]{16}$/.test(remove)) {
    // What was given is not repeated: it may be a key.
    wrong("--remove takes a fingerprint, 16 hexadecimal characters.");
  }
  const others = values.reencrypt || values.emergency || values["new-key"];
  if (remove !== undefined && (others || values.init)) {
    wrong("--remove is a command of its own: rotate first, then remove.");
  }
  const minutes = Number(values.wait);
  if (!(minutes > 0 && minutes <= 1440)) wrong("--wait takes minutes, at most 1440.");
  return {
    keysFile,
    environment,
    config: values.config,
    remove,
    reencrypt: values.reencrypt || values.emergency,
    emergency: values.emergency,
    newKey: values["new-key"],
    init: values.init,
    patience: minutes * 60_000,
    dryRun: values["dry-run"],
    yes: values.yes,
  };
}

function wrong(sentence: string): never {
  throw new Problem(`${sentence}\nTry --help.`, 2);
}
