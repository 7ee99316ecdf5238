import { present, silence } from "../../src/store/rotation-queries.ts";

/** A set of master keys that some deployment said it has loaded; `lastAt` in ms since the epoch. */
export interface Report {
  readonly fingerprints: readonly string[];
  readonly active: string;
  readonly lastAt: number;
}

/** What needs a key. All but `wrappings` count what that key **alone** opens. */
export interface References {
  readonly wrappings: number;
  readonly dataKeys: number;
  readonly connections: number;
  readonly registrations: number;
  readonly flows: number;
}

/** The newest rotation to the file's last key, as far as the workers have come. */
export interface Rotation {
  readonly id: number;
  readonly reencrypt: boolean;
  /** ms since the epoch. */
  readonly requestedAt: number;
  readonly rewrapped: boolean;
  readonly settled: boolean;
  readonly finished: boolean;
  readonly unreadable: number;
}

export interface Facts {
  /** The database's clock, ms since the epoch. */
  readonly now: number;
  /** Fingerprints of the keys file, the active one last; at least one. */
  readonly file: readonly string[];
  /** Newest first. */
  readonly reports: readonly Report[];
  readonly rotation: Rotation | null;
  readonly progress: {
    readonly dataKeys: number;
    readonly wrapped: number;
    readonly connections: number;
    /** What is still sealed under a data key that is to be replaced. */
    readonly left: number;
  };
  readonly references: ReadonlyMap<string, References>;
}

export interface Wish {
  readonly remove: string | undefined;
  readonly reencrypt: boolean;
  /** Begin with another new key, although the last rotation's old key was not removed yet. */
  readonly newKey: boolean;
}

/** What this run has done itself. A run that is killed forgets it, and the next one repeats what is harmless. */
export interface Done {
  readonly sent: boolean;
  readonly added: boolean;
}

export type Refusal =
  | { readonly why: "loaded_not_in_file"; readonly fingerprints: readonly string[] }
  | { readonly why: "added_not_last"; readonly fingerprints: readonly string[] }
  | { readonly why: "is_active" | "not_rotated" | "rotation_open"; readonly fingerprint: string }
  | {
      readonly why: "referenced";
      readonly fingerprint: string;
      readonly references: References;
      /** The file does not list the key any more. */
      readonly dropped: boolean;
    };

export type Step =
  | { readonly do: "refuse"; readonly refusal: Refusal }
  | { readonly do: "add_key" }
  | { readonly do: "send" }
  | { readonly do: "request" }
  | { readonly do: "drop_key" }
  | { readonly do: "delete_wrappings" }
  | { readonly do: "await_worker" }
  | { readonly do: "await_loaded" }
  | { readonly do: "await_rotation" }
  | { readonly do: "await_unloaded" }
  /** `until`: ms since the epoch, if nothing else reports the old set. */
  | { readonly do: "await_lagging"; readonly until: number }
  /** `removable`: what `--remove` takes now; `needed`: older keys that something still needs. */
  | { readonly do: "done"; readonly removable: readonly string[]; readonly needed: readonly string[] };

/** What a run does itself. */
export type Acting = Extract<Step, { do: "add_key" | "send" | "request" | "drop_key" | "delete_wrappings" }>;
/** What it waits for. */
export type Waiting = Exclude<Step, Acting | { do: "refuse" | "done" }>;

export function isWaiting(step: Step): step is Waiting {
  return step.do.startsWith("await_");
}

/**
 * The next step, from what is so: the file, the reports and the counts. Nothing else is remembered, so a run that was
 * killed anywhere is taken up by the next one.
 */
export function plan(facts: Facts, wish: Wish, done: Done): Step {
  return wish.remove === undefined ? planRotation(facts, wish, done) : planRemoval(facts, wish.remove, done);
}

const refuse = (refusal: Refusal): Step => ({ do: "refuse", refusal });
const lacking = (all: readonly string[], some: readonly string[]) => all.filter((one) => !some.includes(one));

/** The newest report, if whoever made it is still there. */
function whoIsThere(facts: Facts): Report | undefined {
  const newest = facts.reports[0];
  return newest !== undefined && newest.lastAt > facts.now - present ? newest : undefined;
}

function planRotation(facts: Facts, wish: Wish, done: Done): Step {
  const { file, rotation } = facts;
  const active = file.at(-1) ?? "";
  const current = whoIsThere(facts);
  if (current === undefined) {
    // A deployment that never had a key has none to report, and nothing that a wrong one could lose.
    const isFirst = facts.reports.length === 0 && facts.progress.dataKeys === 0;
    if (isFirst && !done.sent) return { do: "send" };
    return { do: done.sent ? "await_loaded" : "await_worker" };
  }
  const unlisted = lacking(current.fingerprints, file);
  if (unlisted.length > 0) return refuse({ why: "loaded_not_in_file", fingerprints: unlisted });
  const added = lacking(file, current.fingerprints);
  const strangers = added.filter((one) => !isKnown(one, facts));
  if (strangers.length > 0 && !added.includes(active)) {
    return refuse({ why: "added_not_last", fingerprints: strangers });
  }
  if (added.length > 0 || current.active !== active) return { do: done.sent ? "await_loaded" : "send" };

  if (rotation !== null && !rotation.finished) {
    if (wish.reencrypt && !rotation.reencrypt) return { do: "request" };
    // After the wrapping of every data key only time has to pass: `--remove` waits for it.
    const isWrapped = rotation.rewrapped && !rotation.reencrypt && !strayed(facts);
    if (!isWrapped || wish.newKey) return { do: "await_rotation" };
  } else if (wantsKey(facts, wish, done)) return { do: "add_key" };
  const isFirst = rotation === null && file.length === 1 && !strayed(facts);
  if (isFirst) return { do: "done", removable: [], needed: [] };
  if (rotation === null || strayed(facts) || (wish.reencrypt && !rotation.reencrypt))
    return { do: "request" };
  const older = file.slice(0, -1);
  const needed = older.filter((one) => isNeeded(facts.references.get(one)));
  return { do: "done", removable: lacking(older, needed), needed };
}

/** A key of earlier times: it comes back with a restored backup, and need not be the last one. */
function isKnown(fingerprint: string, { reports, references }: Facts): boolean {
  return (
    reports.some((report) => report.fingerprints.includes(fingerprint)) ||
    (references.get(fingerprint)?.wrappings ?? 0) > 0
  );
}

/** A run that comes when everything is done begins the next rotation, but not while an old key waits for removal. */
function wantsKey({ file, rotation }: Facts, wish: Wish, done: Done): boolean {
  if (done.added || done.sent) return false;
  return file.length === 1 || (wish.newKey && rotation !== null);
}

/** A data key that came after the rotation, from an isolate that did not know the new key. */
function strayed({ rotation, progress }: Facts): boolean {
  return progress.dataKeys - progress.wrapped > (rotation?.unreadable ?? 0);
}

function isNeeded(references: References | undefined): boolean {
  if (references === undefined) return true;
  return references.dataKeys + references.connections + references.registrations + references.flows > 0;
}

function planRemoval(facts: Facts, fingerprint: string, done: Done): Step {
  const { file, reports, now } = facts;
  const active = file.at(-1) ?? "";
  const references = facts.references.get(fingerprint);
  const listed = file.includes(fingerprint);
  const wrappings = references?.wrappings ?? 0;
  if (fingerprint === active) return refuse({ why: "is_active", fingerprint });
  const current = whoIsThere(facts);
  if (current === undefined) return { do: "await_worker" };
  const loaded = current.fingerprints.includes(fingerprint);
  const unlisted = lacking(current.fingerprints, [...file, fingerprint]);
  if (unlisted.length > 0) return refuse({ why: "loaded_not_in_file", fingerprints: unlisted });
  if (!listed && !loaded && wrappings === 0) return { do: "done", removable: [], needed: [] };
  if (lacking(file, [...current.fingerprints, fingerprint]).length > 0 || current.active !== active) {
    return refuse({ why: "not_rotated", fingerprint });
  }
  const open = facts.rotation?.finished === false ? facts.rotation : null;
  if (open !== null && (open.reencrypt || !open.rewrapped))
    return refuse({ why: "rotation_open", fingerprint });
  if (open === null && references !== undefined && isNeeded(references)) {
    return refuse({ why: "referenced", fingerprint, references, dropped: !listed });
  }
  // An isolate without the active key opens data keys with the older one, until it is gone.
  const until = laggingUntil(facts);
  if (until !== undefined) return { do: "await_lagging", until };
  // The workers look once more for what such an isolate made meanwhile.
  if (open !== null) return { do: "await_rotation" };
  if (listed) return { do: "drop_key" };
  if (loaded) return { do: done.sent ? "await_unloaded" : "send" };
  // One that still has the key might wrap with it what is new.
  if (reports.some((one) => one.lastAt > now - present && one.fingerprints.includes(fingerprint))) {
    return { do: "await_unloaded" };
  }
  return wrappings > 0 ? { do: "delete_wrappings" } : { do: "done", removable: [], needed: [] };
}

/** When no deployment without the active key can be left, ms since the epoch; undefined where there is none now. */
export function laggingUntil({ file, reports, now }: Facts): number | undefined {
  const active = file.at(-1) ?? "";
  const lagging = reports.filter((one) => one.lastAt > now - silence && !one.fingerprints.includes(active));
  return lagging.length === 0 ? undefined : Math.max(...lagging.map(({ lastAt }) => lastAt)) + silence;
}

/** What follows after a step, in order, if nothing comes between; for `--dry-run` and the question before the first. */
export function upcoming(step: Step, wish: Wish): readonly Step["do"][] {
  const whole: readonly Step["do"][] =
    wish.remove === undefined
      ? ["await_worker", "add_key", "send", "await_loaded", "request", "await_rotation", "done"]
      : [
          "await_worker",
          "await_lagging",
          "await_rotation",
          "drop_key",
          "send",
          "await_unloaded",
          "delete_wrappings",
          "done",
        ];
  return whole.slice(Math.max(whole.indexOf(step.do), 0));
}

/** How far a wait has come, 0 to 1, and of what; undefined where it cannot be counted. */
export function shareOf(facts: Facts): { readonly done: number; readonly total: number } | undefined {
  const { rotation, progress } = facts;
  if (rotation === null) return undefined;
  if (!rotation.rewrapped) return { done: progress.wrapped, total: progress.dataKeys };
  if (!rotation.settled || !rotation.reencrypt || progress.left === 0) return undefined;
  const total = Math.max(progress.connections, progress.left);
  return { done: total - progress.left, total };
}
