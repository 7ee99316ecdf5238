import { silence } from "../../src/store/rotation-queries.ts";
import { laggingUntil, shareOf, type Facts, type Refusal, type Step, type Waiting } from "./plan.ts";

/** What a step does, for lists of what is to come. */
export const intentions: Readonly<Record<Step["do"], string>> = {
  refuse: "Refuse.",
  await_worker: "Wait until the worker says which keys it has loaded (it does each minute).",
  add_key: "Make a new key and append it to the keys file, with a backup of the file beside it.",
  send: "Send the file's keys to the deployment as the secret MANAGED_ENCRYPTION_KEYS.",
  await_loaded: "Wait until the worker says that it has loaded exactly these keys.",
  request: "Ask the workers for the rotation; they add a wrapping under the new key to every data key.",
  await_rotation: "Watch the workers until they are through.",
  await_lagging: "Wait until no deployment without the active key was heard of for 15 minutes.",
  drop_key: "Take the key out of the keys file, with a backup of the file beside it.",
  await_unloaded: "Wait until the worker says that it has the key no more.",
  delete_wrappings: "Delete what is wrapped under the key, but nothing that no other key opens.",
  done: "Check that nothing needs the old key, and say what comes next.",
};

/** What is waited for, with the numbers of the moment. */
export function waiting(step: Waiting, facts: Facts): string {
  switch (step.do) {
    case "await_worker":
      return "waiting for the worker's report";
    case "await_loaded":
      return "waiting until the worker has loaded the keys";
    case "await_unloaded":
      return "waiting until no worker has the old key loaded";
    case "await_lagging":
      return lagging(step.until);
    case "await_rotation":
      return watching(facts);
  }
}

function watching(facts: Facts): string {
  const { rotation } = facts;
  const share = shareOf(facts);
  if (rotation === null) return "waiting for the workers";
  if (share === undefined && rotation.settled && rotation.reencrypt) {
    return "everything is sealed under new data keys; waiting until the old ones are deleted (about 15 minutes)";
  }
  if (share === undefined) {
    const until = Math.max(laggingUntil(facts) ?? 0, rotation.requestedAt + silence);
    return rotation.settled || until <= facts.now
      ? "every data key is wrapped; waiting for the workers to finish"
      : `every data key is wrapped; ${lagging(until)}`;
  }
  return rotation.rewrapped
    ? `re-encrypting: ${share.done} of ${share.total} connections`
    : `wrapping: ${share.done} of ${share.total} data keys`;
}

function lagging(until: number): string {
  return `waiting until ${clockTime(until + 59_999)}, when no deployment with the old keys can be left`;
}

export function clockTime(time: number): string {
  return `${new Date(time).toISOString().slice(11, 16)} UTC`;
}

/** Why not, and what to do instead. */
export function refused(refusal: Refusal): string {
  switch (refusal.why) {
    case "loaded_not_in_file":
      return (
        `The worker has loaded a key that this file does not list (${refusal.fingerprints.join(", ")}). Sending the ` +
        "file would take it away. Is this the right file, and the right --env? If a --remove was interrupted, run " +
        "that command again; else put the key back from the newest backup beside the file."
      );
    case "added_not_last":
      return (
        `The file lists a key that the worker does not have (${refusal.fingerprints.join(", ")}), but not as the ` +
        "last one. The last key is the active one: move the new key to the end."
      );
    case "is_active":
      return `${refusal.fingerprint} is the active key: it cannot be removed. Rotate first, then remove it.`;
    case "not_rotated":
      return "The worker has not loaded the file's keys as they are. Run the command without --remove first.";
    case "rotation_open":
      return "The rotation is not finished yet. Run the command without --remove and wait for its end.";
    case "referenced":
      return referenced(refusal);
  }
}

function referenced({ fingerprint, references, dropped }: Extract<Refusal, { why: "referenced" }>): string {
  const { dataKeys, connections, registrations, flows } = references;
  const what =
    `Only ${fingerprint} opens ${dataKeys} data key(s), with ${connections} connection(s), ` +
    `${registrations} client registration(s) and ${flows} sign-in(s) on their way. `;
  return dropped
    ? `${what}Put the key back: copy the newest backup over the keys file, and run the command without --remove.`
    : `${what}Run the command without --remove, so that they are wrapped under the active key, then again with it.`;
}
