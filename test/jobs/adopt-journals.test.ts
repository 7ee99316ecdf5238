import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { adoptJournals } from "../../src/jobs/adopt-journals.ts";
import { createStores } from "../../src/store/index.ts";
import { createWorld, hurried } from "../support/refresh/world.ts";

const stores = createStores(env.DB, env.BLOBS);

it("T72 the minute job adopts what a dead writer left, without a key and without asking the provider", async () => {
  const world = await createWorld({});
  const failing = Array.from({ length: 20 }, () => "before" as const);
  const writer = world.actor({ "grants.commit": failing, "blobs.putJournal": ["killed after"] }, hurried());
  expect(await writer.refresh()).toBe("killed");
  expect(await adoptJournals(stores), "the writer may still be at work").toBe(0);
  await world.age(180_000);
  expect(await adoptJournals(stores)).toBe(1);
  expect(await world.row()).toMatchObject({ gen: 2, state: "live", sent_at: 0 });
  expect(world.provider.takes((await world.present()).grant.refresh_token)).toBe(true);
  expect(world.provider.presented).toHaveLength(1);
  expect(await world.keys("j")).toEqual([]);
  expect(await adoptJournals(stores), "nothing is left").toBe(0);
});
