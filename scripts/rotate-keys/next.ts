import { quoted } from "../lib/command.ts";
import type { KeysFile } from "./keys-file.ts";
import type { Options } from "./options.ts";
import type { Step } from "./plan.ts";

/** What a finished run tells its operator. */
export function next(step: Extract<Step, { do: "done" }>, file: KeysFile, options: Options): string {
  const { keysFile, environment, config } = options;
  const which = ["--env", environment, ...(config === undefined ? [] : ["--config", quoted(config)])];
  const command = `npm run rotate-keys -- --keys-file ${quoted(keysFile)} ${which.join(" ")}`;
  if (options.remove !== undefined) return removed(options.remove, file, command);
  const active = file.fingerprints.at(-1) ?? "";
  const lines = [
    `Done. ${active} is the active key, and every data key that can be opened is wrapped under it.`,
  ];
  for (const fingerprint of step.needed) {
    lines.push(
      `Something still needs ${fingerprint} and could not be opened with it: keep that key. The worker's log says ` +
        "what (grant_unreadable).",
    );
  }
  if (step.removable.length > 0) {
    lines.push(
      "",
      "Nothing stored needs the old key any more. Next, take it away (it waits until 15 minutes have passed without a worker that has only older keys):",
    );
    for (const fingerprint of step.removable) lines.push(`  ${command} --remove ${fingerprint}`);
  }
  lines.push("", `Put ${file.path} where you keep passwords, in the place of the copy that is there.`);
  if (options.emergency) lines.push(...emergency);
  return lines.join("\n");
}

const emergency = [
  "",
  "This was an emergency, so also:",
  "  - remove the old key now (above); until then it opens what a stolen copy of the database holds",
  "  - what was sealed before may have been read by whoever has the key and a copy of the database: ask the owners of",
  "    managed connections to renew their keys at the services, or disconnect them",
  "  - D1's time travel keeps the old rows for up to 30 days",
  "  - find out how the key came out before you trust the machine that holds the new one",
  "  - if the leaked key is the one that is active now, run this again with --new-key",
];

function removed(fingerprint: string, file: KeysFile, command: string): string {
  return [
    `Done. No worker has ${fingerprint}, and nothing is wrapped under it.`,
    "",
    `To undo it (a restored copy of the database may need the key), copy the newest ${file.path}.*.backup over`,
    `${file.path} and run`,
    `  ${command}`,
    "Delete the backups when no copy of the database that you would restore needs the old key: D1's time travel",
    "goes back 30 days at most.",
  ].join("\n");
}
