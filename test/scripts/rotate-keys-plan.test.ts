import { array, assert as assertProperty, boolean, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Done,
  type Facts,
  plan,
  type References,
  type Step,
  type Wish,
} from "../../scripts/rotate-keys/plan.ts";
import { present, silence } from "../../src/store/rotation-queries.ts";

const a = "a".repeat(16);
const b = "b".repeat(16);
const c = "c".repeat(16);
const wish: Wish = { remove: undefined, reencrypt: false, newKey: false };
const nothing: Done = { sent: false, added: false };
const free: References = { wrappings: 5, dataKeys: 0, connections: 0, registrations: 0, flows: 0 };
const finished = {
  id: 1,
  reencrypt: false,
  requestedAt: 1e12,
  rewrapped: true,
  settled: true,
  finished: true,
  unreadable: 0,
};

function facts(more: Partial<Facts> & Pick<Facts, "file">): Facts {
  return {
    now: 1e12,
    reports: [],
    rotation: null,
    progress: { dataKeys: 5, wrapped: 5, connections: 9, left: 0 },
    references: new Map([[a, free]]),
    ...more,
  };
}
const said = (fingerprints: string[], ago = 1000) => ({
  fingerprints,
  active: fingerprints.at(-1) ?? "",
  lastAt: 1e12 - ago,
});

describe("rotate-keys: the next step", () => {
  it.each<[string, Facts, Partial<Wish>, Partial<Done>, Step["do"]]>([
    ["a fresh start", facts({ file: [a], reports: [said([a])] }), {}, {}, "add_key"],
    [
      "a first key",
      facts({ file: [a], progress: { dataKeys: 0, wrapped: 0, connections: 0, left: 0 } }),
      {},
      {},
      "send",
    ],
    ["no report, but data", facts({ file: [a] }), {}, {}, "await_worker"],
    ["an old report", facts({ file: [a], reports: [said([a], present)] }), {}, {}, "await_worker"],
    ["a key that was not sent", facts({ file: [a, b], reports: [said([a])] }), {}, {}, "send"],
    [
      "a key that this run sent",
      facts({ file: [a, b], reports: [said([a])] }),
      {},
      { sent: true },
      "await_loaded",
    ],
    ["the same keys, another active", facts({ file: [a, b], reports: [said([b, a])] }), {}, {}, "send"],
    ["a loaded key", facts({ file: [a, b], reports: [said([a, b])] }), {}, {}, "request"],
    [
      "a rotation under way",
      facts({
        file: [a, b],
        reports: [said([a, b])],
        rotation: { ...finished, rewrapped: false, settled: false, finished: false },
      }),
      {},
      {},
      "await_rotation",
    ],
    [
      "a rotation that only waits for time to pass",
      facts({
        file: [a, b],
        reports: [said([a, b])],
        rotation: { ...finished, settled: false, finished: false },
      }),
      {},
      {},
      "done",
    ],
    [
      "a re-encryption under way",
      facts({
        file: [a, b],
        reports: [said([a, b])],
        rotation: { ...finished, reencrypt: true, finished: false },
      }),
      {},
      {},
      "await_rotation",
    ],
    [
      "a rotation that is to re-encrypt as well",
      facts({ file: [a, b], reports: [said([a, b])], rotation: { ...finished, finished: false } }),
      { reencrypt: true },
      {},
      "request",
    ],
    ["an end", facts({ file: [a, b], reports: [said([a, b])], rotation: finished }), {}, {}, "done"],
    [
      "another key on top",
      facts({ file: [a, b], reports: [said([a, b])], rotation: finished }),
      { newKey: true },
      {},
      "add_key",
    ],
    [
      "a data key that strayed in",
      facts({
        file: [a, b],
        reports: [said([a, b])],
        rotation: finished,
        progress: { dataKeys: 6, wrapped: 5, connections: 9, left: 0 },
      }),
      {},
      {},
      "request",
    ],
    ["the next rotation", facts({ file: [b], reports: [said([b])], rotation: finished }), {}, {}, "add_key"],
    [
      "a restored backup",
      facts({ file: [a, b], reports: [said([b]), said([a, b], 9e9)], rotation: finished }),
      {},
      {},
      "send",
    ],
  ])("%s", (_, at, wanted, done, step) => {
    expect(plan(at, { ...wish, ...wanted }, { ...nothing, ...done }).do).toBe(step);
  });

  it.each<[string, Facts, string | undefined, string]>([
    ["a file of something else", facts({ file: [c], reports: [said([a])] }), undefined, "loaded_not_in_file"],
    [
      "a new key that is not last",
      facts({ file: [c, a], reports: [said([a])] }),
      undefined,
      "added_not_last",
    ],
    ["the active key", facts({ file: [a, b], reports: [said([a, b])] }), b, "is_active"],
    ["a key of a file that is not loaded", facts({ file: [a, b], reports: [said([a])] }), a, "not_rotated"],
    [
      "during a rotation",
      facts({
        file: [a, b],
        reports: [said([a, b])],
        rotation: { ...finished, rewrapped: false, finished: false },
      }),
      a,
      "rotation_open",
    ],
    [
      "a key that something needs",
      facts({
        file: [a, b],
        reports: [said([a, b])],
        rotation: finished,
        references: new Map([[a, { ...free, registrations: 1 }]]),
      }),
      a,
      "referenced",
    ],
  ])("T17 refuses %s", (_, at, remove, why) => {
    expect(plan(at, { ...wish, remove }, nothing)).toMatchObject({ do: "refuse", refusal: { why } });
  });

  it.each([
    [silence - 1, { do: "await_lagging", until: 1e12 + 1 }],
    [silence, { do: "drop_key" }],
  ])("T17 waits until a set without the active key was last reported 15 minutes ago: %d ms", (ago, step) => {
    const reports = [said([a, b]), said([a], ago)];
    expect(
      plan(facts({ file: [a, b], reports, rotation: finished }), { ...wish, remove: a }, nothing),
    ).toEqual(step);
  });
});

/** A deployment, as far as the plan can tell it from a real one. */
interface World {
  now: number;
  keys: number;
  file: string[];
  secret: string[];
  /** Isolates with what they loaded; they live on for a while after the secret was replaced. */
  isolates: { keys: string[]; until: number }[];
  reports: Map<string, number>;
  dataKeys: { wrapped: Set<string>; generation: number }[];
  rotations: {
    fingerprint: string;
    reencrypt: boolean;
    rewrapped: boolean;
    settled: boolean;
    finished: boolean;
  }[];
}

const minute = 60_000;
const fingerprint = (at: number) => at.toString(16).padStart(16, "0");

function begin(dataKeys: number): World {
  const first = fingerprint(1);
  return {
    now: 1e12,
    keys: 1,
    file: [first],
    secret: [first],
    isolates: [],
    reports: new Map(),
    dataKeys: Array.from({ length: dataKeys }, () => ({ wrapped: new Set([first]), generation: 0 })),
    rotations: [],
  };
}

const lists = (keys: string, one: string) => keys.split(",").includes(one);
const activeOf = (keys: string) => keys.split(",").at(-1) ?? "";

/** A minute passes: the workers report, one may make a data key, and a rotation goes on. */
function tick(world: World, creates: boolean): void {
  world.now += minute;
  world.isolates = world.isolates.filter(({ until }) => until > world.now);
  for (const { keys } of world.isolates) world.reports.set(keys.join(","), world.now - 1);
  world.reports.set(world.secret.join(","), world.now);
  const makers = [...world.isolates.map(({ keys }) => keys), world.secret];
  if (creates) world.dataKeys.push({ wrapped: new Set(makers[0]), generation: world.rotations.length });
  const rotation = world.rotations.at(-1);
  if (rotation === undefined || rotation.finished || !world.secret.includes(rotation.fingerprint)) return;
  for (const { wrapped } of world.dataKeys) {
    if (world.secret.some((key) => wrapped.has(key))) wrapped.add(rotation.fingerprint);
  }
  rotation.rewrapped = true;
  const lagging = [...world.reports].some(
    ([keys, at]) => at > world.now - silence && !lists(keys, rotation.fingerprint),
  );
  if (lagging) return;
  rotation.settled = true;
  if (rotation.reencrypt) {
    world.dataKeys = world.dataKeys.map(() => ({ wrapped: new Set([rotation.fingerprint]), generation: 9 }));
  }
  rotation.finished = true;
}

function observe(world: World, remove: string | undefined): Facts {
  const active = world.file.at(-1) ?? "";
  const presentActives = [...world.reports]
    .filter(([, at]) => at > world.now - silence)
    .map(([keys]) => activeOf(keys));
  const asked = remove === undefined ? world.file.slice(0, -1) : [remove];
  const rotation = world.rotations.findLast((one) => one.fingerprint === active);
  return {
    now: world.now,
    file: world.file,
    reports: [...world.reports]
      .map(([keys, lastAt]) => ({ fingerprints: keys.split(","), active: activeOf(keys), lastAt }))
      .toSorted((one, other) => other.lastAt - one.lastAt),
    rotation: rotation === undefined ? null : { ...rotation, id: 1, requestedAt: 1e12, unreadable: 0 },
    progress: {
      dataKeys: world.dataKeys.length,
      wrapped: world.dataKeys.filter(({ wrapped }) => wrapped.has(active)).length,
      connections: 0,
      left: 0,
    },
    references: new Map(
      asked.map((one) => {
        const under = world.dataKeys.filter(({ wrapped }) => wrapped.has(one));
        const only = under.filter(
          ({ wrapped }) => !presentActives.some((other) => other !== one && wrapped.has(other)),
        );
        return [one, { ...free, wrappings: under.length, dataKeys: only.length }];
      }),
    ),
  };
}

function perform(world: World, step: Step, remove: string | undefined): void {
  const active = world.file.at(-1) ?? "";
  if (step.do === "add_key") world.file = [...world.file, fingerprint(++world.keys)];
  if (step.do === "drop_key") world.file = world.file.filter((one) => one !== remove);
  if (step.do === "send" && world.secret.join() !== world.file.join()) {
    world.isolates.push({ keys: world.secret, until: world.now + 3 * minute });
    world.secret = world.file;
  }
  if (step.do === "request") {
    world.rotations.push({
      fingerprint: active,
      reencrypt: false,
      rewrapped: false,
      settled: false,
      finished: false,
    });
  }
  if (step.do === "delete_wrappings") for (const { wrapped } of world.dataKeys) wrapped.delete(remove ?? "");
}

/** What everything rests on: whoever serves can open every data key. */
function check(world: World): void {
  const serving = [world.secret, ...world.isolates.map(({ keys }) => keys)];
  for (const keys of serving) {
    expect(world.dataKeys.every(({ wrapped }) => keys.some((key) => wrapped.has(key)))).toBe(true);
  }
}

/** Runs until it is done, killed after each step that `kills` says, before or after its effect. */
function runToEnd(
  world: World,
  remove: string | undefined,
  kills: readonly number[],
  creates: readonly boolean[],
): Step {
  let done = nothing;
  for (let turn = 0; turn < 200; turn += 1) {
    const step = plan(observe(world, remove), { ...wish, remove }, done);
    if (step.do === "done" || step.do === "refuse") return step;
    const kill = kills[turn] ?? 0;
    if (step.do.startsWith("await_")) tick(world, creates[turn] ?? false);
    else if (kill !== 1) perform(world, step, remove);
    done = { sent: done.sent || step.do === "send", added: done.added || step.do === "add_key" };
    if (step.do === "add_key" || step.do === "drop_key") done = { ...done, sent: false };
    if (kill > 0) done = nothing;
    check(world);
  }
  throw new Error("it does not end");
}

describe("rotate-keys: repeated runs", () => {
  it("T15 T17 end in a rotation and a removal wherever they are killed, and never lose a data key", () => {
    const kills = array(integer({ min: 0, max: 2 }), { maxLength: 25 });
    const creates = array(boolean(), { maxLength: 40 });
    assertProperty(
      property(integer({ min: 0, max: 4 }), kills, kills, creates, (dataKeys, first, second, made) => {
        const world = begin(dataKeys);
        tick(world, false);
        const old = world.file[0] ?? "";
        expect(runToEnd(world, undefined, first, made)).toMatchObject({
          do: "done",
          removable: [old],
          needed: [],
        });
        expect(world.file).toHaveLength(2);
        expect(runToEnd(world, old, second, made).do).toBe("done");
        expect(world.secret).toEqual([fingerprint(2)]);
        expect(world.dataKeys.every(({ wrapped }) => [...wrapped].join() === fingerprint(2))).toBe(true);
        expect(plan(observe(world, undefined), wish, nothing).do).toBe("add_key");
      }),
      { numRuns: 500 },
    );
  });
});
