import { setTimeout as pause } from "node:timers/promises";
import { createDice, type Dice } from "./dice.ts";
import { judge, type Judgement } from "./judge.ts";
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
}

/** Operations that run at once. */
const lanes = 3;
/** Operations between two looks at everything that is stored. */
const betweenLooks = 20;
/** What an invocation does after its answer, ms. */
const settling = 800;

/** Runs every operation at least once, and then random ones until `seconds` are over. */
export async function runModel(
  seed: number,
  seconds: number,
  progress: (text: string) => void,
): Promise<{ readonly run: ModelRun; readonly secrets: readonly Planted[] }> {
  const dice = createDice(seed);
  const world = await createWorld(dice.child());
  const done = new Map<string, number>();
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
    const until = performance.now() + seconds * 1000;
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        while (performance.now() < until) await perform(draw(dice));
      }),
    );
    await lookAtEverything(world);
    const judgement = judge(world.secrets, world.collected);
    return { run: { judgement, done, answers: world.answers }, secrets: world.secrets.all };
  } finally {
    await world.close();
  }
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

/** Builds with up to `most` leaks each, no two of them at the same place: so none is taken for another. */
export function packPlants(all: readonly Plant[], most: number): readonly (readonly Plant[])[] {
  const builds: Plant[][] = [];
  for (const plant of all) {
    const fits = builds.find(
      (build) => build.length < most && !build.some((other) => isSamePlace(other, plant)),
    );
    if (fits === undefined) builds.push([plant]);
    else fits.push(plant);
  }
  return builds;
}

function isSamePlace(one: Plant, other: Plant): boolean {
  return one.sink === other.sink && one.place.source === other.place.source;
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
      missing = missing.filter(
        (plant) => !leaks.some(({ sink, place }) => sink === plant.sink && plant.place.test(place)),
      );
    }
    return planted.map((plant) => ({ plant, found: !missing.includes(plant) }));
  } finally {
    await world.close();
  }
}
