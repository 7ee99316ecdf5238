import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { remindOfAge, remindOfReauth } from "../../src/jobs/remind.ts";
import { createStores } from "../../src/store/index.ts";
import { createInstance } from "../support/instance.ts";
import { createOwner, createRow, daysAgo, type Owner } from "../support/owner.ts";
import { connectionAnswer, createPerson } from "../support/person.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const stores = createStores(env.DB, env.BLOBS);
const deps = { stores, mailer: "configured" };
let owner: Owner;

beforeEach(async () => {
  await edit(env, "DELETE FROM mail_queue");
  await edit(env, "DELETE FROM connections");
  owner = await createOwner();
});

async function queued(): Promise<readonly Record<string, unknown>[]> {
  const { results } = await env.DB.prepare(
    "SELECT kind, user_id, connection_id FROM mail_queue ORDER BY id",
  ).all();
  return results;
}

/** A week passes, and what was queued was sent when it was. */
async function aWeek(id: string): Promise<void> {
  const week = 7 * 86_400_000;
  await edit(env, "UPDATE connections SET reauth_since = reauth_since - ?2 WHERE id = ?1", id, week);
  await edit(
    env,
    `UPDATE mail_queue SET created_at = created_at - ?1, next_at = NULL, outcome = 'sent',
       ended_at = COALESCE(ended_at, created_at + 60000) - ?1`,
    week,
  );
}

const reauth = (days: number): string => `state = 'reauth', reauth_since = ${daysAgo(days)}`;

describe("grants that need a sign-in", () => {
  it("one mail at once, then one a week, five in all", async () => {
    const id = await createRow(owner, reauth(0));
    expect(await remindOfReauth(deps)).toBe(1);
    expect(await remindOfReauth(deps)).toBe(0);
    expect(await queued()).toEqual([{ kind: "reauth_needed", user_id: owner.user, connection_id: id }]);
    const counts: number[] = [];
    for (let week = 0; week < 8; week += 1) {
      await aWeek(id);
      // The mail of the week before was sent a minute after it was queued.
      await edit(env, "UPDATE connections SET reauth_since = reauth_since - 120000 WHERE id = ?1", id);
      await edit(env, "UPDATE mail_queue SET ended_at = ended_at - 120000");
      counts.push(await remindOfReauth(deps));
      expect(await remindOfReauth(deps)).toBe(0);
    }
    expect(counts).toEqual([1, 1, 1, 1, 0, 0, 0, 0]);
  });

  it("a grant that is lost again within the week waits for the week to end", async () => {
    const id = await createRow(owner, reauth(2));
    expect(await remindOfReauth(deps)).toBe(1);
    await edit(env, `UPDATE mail_queue SET next_at = NULL, outcome = 'sent', ended_at = ${daysAgo(2)}`);
    await edit(env, `UPDATE connections SET reauth_since = ${daysAgo(0)} WHERE id = ?1`, id);
    expect(await remindOfReauth(deps)).toBe(0);
    await edit(env, `UPDATE mail_queue SET ended_at = ${daysAgo(8)}`);
    expect(await remindOfReauth(deps)).toBe(1);
  });

  it("a mail that waits for its delivery keeps the next from being queued", async () => {
    await createRow(owner, reauth(8));
    expect(await remindOfReauth(deps)).toBe(1);
    await edit(env, `UPDATE mail_queue SET occasion = 'of the week before', created_at = ${daysAgo(8)}`);
    expect(await remindOfReauth(deps)).toBe(0);
  });

  it("not where the connection was disconnected, is suspended or works", async () => {
    await createRow(owner, `${reauth(1)}, status = 'disconnected', disconnected_at = 1`);
    await createRow(owner, `${reauth(1)}, status = 'suspended'`);
    await createRow(owner, "state = 'live'");
    expect(await remindOfReauth(deps)).toBe(0);
  });

  it("goes through all pages, of connections of one moment too", async () => {
    for (let at = 0; at < 7; at += 1) await createRow(owner, "state = 'reauth', reauth_since = 1");
    await edit(env, `UPDATE connections SET reauth_since = ${daysAgo(1)}`);
    const sizes: number[] = [];
    let after: Parameters<typeof stores.reminders.reauth>[0] = null;
    do {
      const page: Awaited<ReturnType<typeof stores.reminders.reauth>> = await stores.reminders.reauth(
        after,
        3,
      );
      sizes.push(page.queued);
      after = page.next;
    } while (after !== null);
    expect(sizes).toEqual([3, 3, 1]);
  });
});

describe("connections that nobody signed in to for eleven months", () => {
  it("one mail for each sign-in", async () => {
    const id = await createRow(owner, `authorized_at = ${daysAgo(335)}`);
    expect(await remindOfAge(deps)).toBe(1);
    expect(await remindOfAge(deps)).toBe(0);
    await edit(env, `UPDATE connections SET authorized_at = ${daysAgo(340)} WHERE id = ?1`, id);
    expect(await remindOfAge(deps)).toBe(1);
    expect(await queued()).toMatchObject([{ kind: "reauth_reminder" }, { kind: "reauth_reminder" }]);
  });

  it("not earlier, not long after, not for keys, and not once it is disconnected", async () => {
    await createRow(owner, `authorized_at = ${daysAgo(330)}`);
    await createRow(owner, `authorized_at = ${daysAgo(400)}`);
    await createRow(owner, `authorized_at = ${daysAgo(335)}, kind = 'key'`);
    await createRow(owner, `authorized_at = ${daysAgo(335)}, status = 'disconnected', disconnected_at = 1`);
    expect(await remindOfAge(deps)).toBe(0);
  });
});

describe("without mail", () => {
  it("nothing is queued, and the page shows the reminder", async () => {
    const instance = createInstance();
    const person = await createPerson(instance);
    const { id } = await person.connect({ url: upstream().url });
    const seen = async () => {
      const answer = await person.call("GET", `/api/connections/${id}`);
      return connectionAnswer.parse(await answer.json()).reminder;
    };
    const set = async (columns: string) =>
      await edit(env, `UPDATE connections SET ${columns} WHERE id = ?1`, id);
    expect(await seen()).toBeNull();
    await set(`kind = 'oauth', authorized_at = ${daysAgo(335)}`);
    expect(await seen()).toBe("authorize_again_soon");
    await set(reauth(1));
    expect(await seen()).toBe("reauthorize");
    await instance.cron("17 * * * *");
    await instance.cron("41 3 * * *");
    expect(await queued()).toEqual([]);
    await set(`status = 'disconnected', disconnected_at = 1`);
    expect(await seen()).toBeNull();
  });
});
