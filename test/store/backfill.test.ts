import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import backfill from "../../migrations/0003_managed.sql?raw";
import { createWorld } from "../support/refresh/world.ts";

const day = 86_400_000;

it("what was connected before the column was there becomes due: when it ends, or within a day", async () => {
  const statement = /UPDATE connections\s+SET due_at[^;]+/.exec(backfill)?.[0];
  if (statement === undefined) throw new Error("no such statement");
  const ending = await createWorld({ storage: "managed" });
  const unending = await createWorld({ storage: "managed" });
  const over = await createWorld({ storage: "managed" });
  const userHeld = await createWorld();
  const before = await ending.row();
  for (const world of [ending, unending, over, userHeld]) await world.set("due_at = NULL");
  await unending.set("access_expires_at = NULL");
  await over.set("state = 'reauth'");
  await env.DB.prepare(statement).run();
  expect((await ending.row()).due_at).toBe(before.access_expires_at);
  const { due_at, now } = await unending.row();
  expect(due_at).toBeGreaterThan(now - 1000);
  expect(due_at).toBeLessThan(now + day);
  expect([(await over.row()).due_at, (await userHeld.row()).due_at]).toEqual([null, null]);
});
