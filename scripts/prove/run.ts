import { setTimeout as pause } from "node:timers/promises";
import { leaseLength } from "../../src/grants/refresh-policy.ts";
import { databaseNow } from "../../src/store/database.ts";
import { createDice, type Dice } from "./dice.ts";
import { judge, type Judgement, type Leak } from "./judge.ts";
import { operations } from "./operations/index.ts";
import { connectByKey, signIn } from "./operations/connecting.ts";
import type { Operation } from "./operations/operation.ts";
import type { Plant } from "./plants/plant.ts";
import type { Planted } from "./secrets.ts";
import { createWorld, type World } from "./world.ts";

export interface ModelRun {
  readonly judgement: Judgement;
  /** How often each operation ran. */
  readonly done: ReadonlyMap<string, number>;
  /** Requests by status. */
  readonly answers: ReadonlyMap<number, number>;
  /** How often each operation on storage was made to fail: `d1:batch` and the like. */
  readonly storageFailures: ReadonlyMap<string, number>;
}

/** Operations that run at once. */
const lanes = 3;
/** Operations between two looks at everything that is stored. */
const betweenLooks = 20;
/** How often every operation runs once more where something that has to be seen was not seen yet. */
const moreRounds = 4;
/** What an invocation does after its answer, ms. */
const settling = 800;
/** Renewals take a fraction of this, ms. */
const dead = 1000;

/**
 * Runs every operation at least once, and then random ones until `seconds` are over. What comes about is drawn at
 * random: while `isWhole` says that something is lacking, every operation runs once more.
 */
export async function runModel(
  seed: number,
  seconds: number,
  progress: (text: string) => void,
  isWhole: (run: ModelRun) => boolean,
): Promise<{ readonly run: ModelRun; readonly secrets: readonly Planted[] }> {
  const dice = createDice(seed);
  const world = await createWorld(dice.child());
  const done = new Map<string, number>();
  const stop = endDeadLeases(world);
  try {
    let count = 0;
    const perform = async (operation: Operation): Promise<void> => {
      await operation.run(world, dice.child());
      done.set(operation.name, (done.get(operation.name) ?? 0) + 1);
      count += 1;
      progress(`${count} operations`);
      if (count % betweenLooks === 0) await world.storage.collect();
    };
    for (const operation of [connectByKey, signIn, signIn, connectByKey, ...operations])
      await perform(operation);
    const performAll = async (next: () => Operation | undefined): Promise<void> => {
      await Promise.all(
        Array.from({ length: lanes }, async () => {
          for (let one = next(); one !== undefined; one = next()) await perform(one);
        }),
      );
    };
    const look = async (): Promise<ModelRun> => {
      await lookAtEverything(world);
      const judgement = judge(world.secrets, world.collected);
      return { judgement, done, answers: world.answers, storageFailures: await world.storageFailures() };
    };
    const until = performance.now() + seconds * 1000;
    await performAll(() => (performance.now() < until ? draw(dice) : undefined));
    let run = await look();
    for (let round = 0; round < moreRounds && !isWhole(run); round += 1) {
      const again = [...operations];
      await performAll(() => again.shift());
      run = await look();
    }
    return { run, secrets: world.secrets.all };
  } finally {
    await stop();
    await world.close();
  }
}

/**
 * Calls wait many seconds for a renewal that began and whose end a fault of storage has hidden: here that time passes at
 * once. Answers how to end it.
 */
function endDeadLeases({ storage }: World): () => Promise<void> {
  const ending = new AbortController();
  const passing = (async () => {
    while (!ending.signal.aborted) {
      await storage.change(
        `UPDATE connections SET lease_until = lease_until - 120000 WHERE state IN ('leased', 'sent')
         AND lease_until BETWEEN ${databaseNow} AND ${databaseNow} + ${leaseLength - dead}`,
      );
      await pause(dead / 2);
    }
  })();
  return async () => {
    ending.abort();
    await passing;
  };
}

function draw(dice: Dice): Operation {
  return dice.pick(
    operations.flatMap((operation) => Array.from({ length: operation.weight }, () => operation)),
  );
}

async function lookAtEverything(world: World): Promise<void> {
  await pause(settling);
  await world.storage.collect();
  // What invocations with a secret path noted is printed by the schedule.
  await world.instance.runCron();
  await pause(settling);
  await world.storage.collect();
  await world.storage.noteDataKeys();
  world.storage.collectLogs();
}

export interface PlantResult {
  readonly plant: Plant;
  readonly found: boolean;
}

/** Builds with up to `most` leaks each, no two of which disturb each other or are at the same place. */
export function packPlants(all: readonly Plant[], most: number): readonly (readonly Plant[])[] {
  const builds: Plant[][] = [];
  for (const plant of all) {
    const fits = builds.find(
      (build) => build.length < most && build.every((other) => goTogether(other, plant)),
    );
    if (fits === undefined) builds.push([plant]);
    else fits.push(plant);
  }
  return builds;
}

/** At the same place one would be taken for the other. */
function goTogether(one: Plant, other: Plant): boolean {
  const isSamePlace = one.sink === other.sink && one.place.source === other.place.source;
  return !isSamePlace && one.alone !== true && other.alone !== true;
}

function isPlanted({ kind, sink, place }: Leak, plant: Plant): boolean {
  return sink === plant.sink && plant.place.test(place) && (plant.kind === undefined || kind === plant.kind);
}

/**
 * Builds the worker with these leaks in it and looks for each at its place. Several in one build must differ in sink or
 * place, so that no one is taken for another.
 */
export async function findPlants(planted: readonly Plant[], seed: number): Promise<readonly PlantResult[]> {
  const dice = createDice(seed);
  const world = await createWorld(dice.child(), planted);
  try {
    const perform = async (operation: Operation): Promise<void> => {
      await operation.run(world, dice.child());
      await world.storage.collect();
    };
    for (const operation of [connectByKey, signIn]) await perform(operation);
    let missing = planted;
    // What brings a leak out is drawn at random too: it may need another try.
    for (let tries = 0; tries < 3 && missing.length > 0; tries += 1) {
      for (const operation of missing.flatMap((plant) => plant.operations)) await perform(operation);
      await lookAtEverything(world);
      const { leaks } = judge(world.secrets, world.collected);
      missing = missing.filter((plant) => !leaks.some((leak) => isPlanted(leak, plant)));
    }
    return planted.map((plant) => ({ plant, found: !missing.includes(plant) }));
  } finally {
    await world.close();
  }
}
