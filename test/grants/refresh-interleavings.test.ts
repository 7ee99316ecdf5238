import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { play, rounds, type Holder, type Round } from "../support/refresh/scenario.ts";
import { shortenPauses } from "../support/short-pauses.ts";
import { createWorld, hurried, type Actor, type World } from "../support/refresh/world.ts";

/** Presented refresh tokens of rounds in which nothing was made to fail: none of them may come a second time. */
interface Ledger {
  readonly spent: Set<string>;
  /** Whether a rotation happened of which nothing durable is left: then the provider may end the grant. */
  lost: boolean;
  gen: number;
}

// So that hundreds of runs fit.
shortenPauses();

/** The grant that the row names is there: in the row, or in KV. */
async function blobIsThere(world: World): Promise<boolean> {
  const { blob, gen, blob_fence: fence } = await world.row();
  return blob !== null || (await env.BLOBS.get(`t/${world.id}/${gen}/${fence}`)) !== null;
}

async function playRound(
  round: Round,
  world: World,
  holder: Holder,
  ledger: Ledger,
  scheduler: fc.Scheduler,
): Promise<void> {
  const { provider } = world;
  const actors: Actor[] = [];
  const before = { presented: provider.presented.length, rotations: provider.rotations };
  provider.next(...round.provider);
  const turn = async (call: string): Promise<void> => await scheduler.schedule(Promise.resolve(), call);
  await scheduler.waitFor(
    Promise.all(
      round.parts.map(async ({ role, plan }) => {
        const actor = world.actor(plan, hurried(), turn);
        actors.push(actor);
        await play(role, actor, world, holder);
        await actor.settle();
      }),
    ),
  );
  provider.forgetScript();

  const presented = provider.presented.slice(before.presented);
  for (const token of presented)
    expect(ledger.spent, "a spent refresh token came again").not.toContain(token);
  const calls = actors.flatMap((actor) => actor.executed);
  const durable = calls.filter(
    ({ call, result }) => (call === "grants.commit" && result === true) || call === "blobs.putJournal",
  );
  const rotations = provider.rotations - before.rotations;
  if (durable.length < rotations) ledger.lost = true;
  const quiet = round.parts.every(({ plan }) => Object.keys(plan).length === 0);
  if (quiet && rotations === presented.length && !ledger.lost) {
    for (const token of presented) ledger.spent.add(token);
  }

  const { gen } = await world.row();
  expect(gen, "the generation went backwards").toBeGreaterThanOrEqual(ledger.gen);
  ledger.gen = gen;
  expect(await blobIsThere(world), "the row names a blob that is nowhere").toBe(true);
}

/** Time passes and nothing fails any more: whatever was left behind is found. */
async function calmDown(world: World, holder: Holder): Promise<void> {
  for (let at = 0; at < 4; at += 1) {
    await world.age(180_000);
    const actor = world.actor();
    await actor.refresh(await world.present(holder.credential));
    await actor.settle();
  }
}

it("T73 T78 random interleavings of writers and failures never lose a grant that something durable holds", async () => {
  let [played, checked] = [0, 0];
  const property = fc.asyncProperty(rounds, fc.scheduler(), async (script, scheduler) => {
    const world = await createWorld();
    const holder = { credential: world.credential };
    const ledger = { spent: new Set<string>(), lost: false, gen: 1 };
    for (const round of script) {
      if ((await world.row()).status !== "active") break;
      await playRound(round, world, holder, ledger, scheduler);
      await world.age(round.pause);
    }
    played += 1;
    const { status, gen } = await world.row();
    const dead = status === "disconnected";
    await calmDown(world, holder);
    if (dead) {
      expect((await world.row()).gen, "a dead connection got a new grant").toBe(gen);
      return;
    }
    if (ledger.lost) return;
    checked += 1;
    expect(world.provider.alive, "reuse was detected").toBe(true);
    expect(world.provider.takes((await world.present(holder.credential)).grant.refresh_token)).toBe(true);
    // One that a sign-in overtook stays until its time to live is over, out of any adopter's sight.
    const { gen: last } = await world.row();
    const adoptable = (await world.keys("j")).filter((name) => Number(name.split("/")[0]) > last);
    expect(adoptable, "a journal was left").toEqual([]);
  });
  // The seed and the shrunk script are in the message of a failure.
  await fc.assert(property, {
    numRuns: 150,
    plugins: [fc.interruptAfterTimeLimit(18_000)],
    endOnFailure: true,
  });
  expect(played).toBeGreaterThan(0);
  // Of a few that a slow machine had the time for none need be left to check.
  if (played > 40) expect(checked).toBeGreaterThan(played / 8);
});
