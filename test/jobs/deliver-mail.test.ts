import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, inject, it } from "vitest";
import { deliverMail, type DeliverDeps } from "../../src/jobs/deliver-mail.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import type { Mailer } from "../../src/mail/mailer.ts";
import { createCatalogue } from "../../src/services/index.ts";
import { createStores } from "../../src/store/index.ts";
import { createInstance } from "../support/instance.ts";
import { clerkSubjectIssuer, createPost, taken, type Post } from "../support/mail.ts";
import { createOwner, createRow, daysAgo, type Owner } from "../support/owner.ts";
import { faultyStores } from "../support/refresh/faulty.ts";
import { edit } from "../support/storage.ts";

const hostile = inject("hostileUrl");
const stores = createStores(env.DB, env.BLOBS);
const catalogue = createCatalogue({ paused: [], preRegistered: new Set() });
const site = { brand: "Bindify", adminUrls: ["https://bindify.example"] } as const;
let post: Post;
let owner: Owner;
let events: LogEvent[];

const deps = (changes: Partial<DeliverDeps> = {}): DeliverDeps => ({
  stores,
  mailer: post.mailer,
  catalogue,
  site,
  backgroundBudget: 5,
  log: (event) => events.push(event),
  ...changes,
});

interface QueueRow {
  outcome: string | null;
  tries: number;
  wait: number | null;
}

async function queue(): Promise<readonly QueueRow[]> {
  const { results } = await env.DB.prepare(
    `SELECT outcome, tries, next_at - CAST(unixepoch('subsec') * 1000 AS INTEGER) AS wait FROM mail_queue ORDER BY id`,
  ).all<QueueRow>();
  return results;
}

const makeDue = async () => await edit(env, "UPDATE mail_queue SET next_at = 1 WHERE next_at IS NOT NULL");
const mail = (occasion: string) =>
  ({ occasion, kind: "subscription_confirmed", userId: owner.user, connectionId: null }) as const;

const withoutAddress = async () => {
  const subject = `user_${crypto.randomUUID()}`;
  return { subject, ...(await createOwner({ email: null, issuer: clerkSubjectIssuer, subject })) };
};

/** Mail to people whose address only Clerk knows, which does not tell. */
const strangers = async (count: number): Promise<void> => {
  for (let at = 0; at < count; at += 1) {
    const { user, subject } = await withoutAddress();
    await post.clerk(subject, { status: 503 });
    await stores.mail.enqueue({ ...mail(`stranger ${at}`), userId: user });
  }
};

beforeEach(async () => {
  await edit(env, "DELETE FROM mail_queue");
  post = await createPost(hostile);
  owner = await createOwner();
  events = [];
});

describe("the queue of mail", () => {
  it("takes an occasion once, also as a statement of a batch", async () => {
    expect(await stores.mail.enqueue(mail("a"))).toBe(true);
    expect(await stores.mail.enqueue(mail("a"))).toBe(false);
    const nothing = env.DB.prepare("UPDATE workspaces SET audit_days = 1 WHERE id = 'wsp_nobody'");
    const something = env.DB.prepare("UPDATE workspaces SET audit_days = 1 WHERE id = ?1").bind(
      owner.workspace,
    );
    await env.DB.batch([nothing, stores.mail.queued(mail("b"), true)]);
    expect(await queue()).toHaveLength(1);
    await env.DB.batch([something, stores.mail.queued(mail("b"), true)]);
    expect(await queue()).toHaveLength(2);
  });

  it("stays empty where mail is not configured", async () => {
    const without = createStores(env.DB, env.BLOBS, 90, false);
    expect(await without.mail.enqueue(mail("a"))).toBe(false);
    expect(await deliverMail(deps({ stores: without, mailer: undefined }))).toBe(0);
    const runtime = await createInstance().runtime();
    expect(runtime.mailer).toBeUndefined();
    expect(await runtime.stores.mail.enqueue(mail("b"))).toBe(false);
    expect(await queue()).toEqual([]);
  });

  it("a configured deployment has a mailer, and one that lacks the sender says so", async () => {
    const settings = { SMTP2GO_API_KEY: "api-key" };
    const whole = createInstance({ ...settings, MAIL_SENDER: "Bindify <mail@bindify.example>" });
    const runtime = await whole.runtime();
    expect(runtime.mailer).toBeDefined();
    expect(await runtime.stores.mail.enqueue(mail("a"))).toBe(true);
    await expect(createInstance(settings).runtime()).rejects.toMatchObject({
      code: "misconfigured",
      params: { variable: "MAIL_SENDER" },
    });
  });

  it("forgets what ended 90 days ago, and nothing that is still to be sent", async () => {
    for (const occasion of ["old", "new", "waiting"]) await stores.mail.enqueue(mail(occasion));
    await edit(
      env,
      `UPDATE mail_queue SET created_at = 1, next_at = NULL, outcome = 'sent', ended_at = ${daysAgo(91)} WHERE occasion = 'old'`,
    );
    await edit(
      env,
      `UPDATE mail_queue SET next_at = NULL, outcome = 'sent', ended_at = ${daysAgo(89)} WHERE occasion = 'new'`,
    );
    await createInstance().cron("41 3 * * *");
    const { results } = await env.DB.prepare("SELECT occasion FROM mail_queue ORDER BY id").all();
    expect(results).toEqual([{ occasion: "new" }, { occasion: "waiting" }]);
  });
});

describe("delivering mail", () => {
  it("says what was unusual, and leads to the connection", async () => {
    const id = await createRow(owner, "gen = gen");
    const detail = { kind: "many_refusals", refusals: 55, calls: 60 };
    const about = { occasion: "a", kind: "anomaly", userId: owner.user, connectionId: id, detail } as const;
    await stores.mail.enqueue(about);
    expect(await deliverMail(deps())).toBe(1);
    const [sent] = await post.mails();
    expect(sent).toMatchObject({ subject: "Unusual use of your Linear connection" });
    expect(sent?.["text_body"]).toContain("55 of 60 calls");
    expect(sent?.["text_body"]).toContain(`https://bindify.example/#/connection/${id}`);
  });

  it("sends what is due, once, with the link to the connection", async () => {
    const id = await createRow(owner, `state = 'reauth', reauth_since = ${daysAgo(1)}`);
    await stores.mail.enqueue({ occasion: "r", kind: "reauth_needed", userId: owner.user, connectionId: id });
    expect(await deliverMail(deps())).toBe(1);
    expect(await deliverMail(deps())).toBe(0);
    const [sent, ...more] = await post.mails();
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ to: ["owner@example.com"], subject: "Linear needs you to sign in again" });
    expect(sent?.["text_body"]).toContain(`https://bindify.example/#/again/${id}`);
    expect(JSON.stringify(sent)).not.toContain("mcp.linear.app");
    expect(await queue()).toEqual([{ outcome: "sent", tries: 1, wait: null }]);
    expect(events).toEqual([]);
  });

  it("two runs at once send it once", async () => {
    await stores.mail.enqueue(mail("a"));
    const sent = await Promise.all([deliverMail(deps()), deliverMail(deps())]);
    expect(Math.min(...sent) + Math.max(...sent)).toBe(1);
    expect(await post.posted()).toHaveLength(1);
  });

  it("tries again with growing pauses, and gives up after three days", async () => {
    await post.answer({ status: 500 });
    await stores.mail.enqueue(mail("a"));
    const waits: number[] = [];
    for (let at = 0; at < 7; at += 1) {
      expect(await deliverMail(deps())).toBe(0);
      const [row] = await queue();
      expect(row).toMatchObject({ outcome: null, tries: at + 1 });
      waits.push(Math.round((row?.wait ?? 0) / 60_000));
      expect(await deliverMail(deps()), "it waits").toBe(0);
      await makeDue();
    }
    expect(waits).toEqual([1, 5, 30, 120, 360, 720, 720]);
    expect(events.at(-1)).toEqual({
      event: "mail_failed",
      mail: "subscription_confirmed",
      reason: "no_answer",
    });
    await edit(env, `UPDATE mail_queue SET created_at = ${daysAgo(3)}`);
    await deliverMail(deps());
    expect(await queue()).toEqual([{ outcome: "refused", tries: 8, wait: null }]);
    expect(events.at(-1)).toMatchObject({ reason: "given_up" });
  });

  it("a refused key costs no mail: it is sent when the key is right", async () => {
    await post.answer({ status: 401 });
    await stores.mail.enqueue(mail("a"));
    await deliverMail(deps());
    expect(events).toEqual([{ event: "mail_failed", mail: "subscription_confirmed", reason: "account" }]);
    await post.answer(taken);
    await makeDue();
    expect(await deliverMail(deps())).toBe(1);
  });

  it("a Clerk that fails keeps back no mail that needs no address of it", async () => {
    await strangers(4);
    await stores.mail.enqueue({
      occasion: "key",
      kind: "master_key_missing",
      userId: null,
      connectionId: null,
      detail: { fingerprint: "0123456789abcdef" },
    });
    const asked: boolean[] = [];
    const { mailer } = post;
    const counting: Mailer = {
      ...mailer,
      addressOf: async (of, ask) => {
        if (of.user_id !== null) asked.push(ask === true);
        return await mailer.addressOf(of, ask);
      },
    };
    expect(await deliverMail(deps({ mailer: counting }))).toBe(1);
    expect(await post.mails()).toMatchObject([{ to: ["admin@bindify.example"] }]);
    expect(asked, "not again and again: each may take its whole time").toEqual([true, true, false, false]);
    expect((await queue()).map(({ outcome, tries }) => [outcome, tries])).toEqual([
      ...Array.from({ length: 4 }, () => [null, 1]),
      ["sent", 1],
    ]);
  });

  it("an SMTP2GO that fails is asked once in a run", async () => {
    await post.answer({ status: 500 });
    for (let at = 0; at < 3; at += 1) await stores.mail.enqueue(mail(`m${at}`));
    await deliverMail(deps());
    expect(await post.posted()).toHaveLength(1);
  });

  it("one that cannot be written keeps back no other, is tried again, and is given up", async () => {
    for (const occasion of ["a", "b"]) await stores.mail.enqueue(mail(occasion));
    await edit(env, "UPDATE mail_queue SET detail = '[' WHERE occasion = 'a'");
    expect(await deliverMail(deps())).toBe(1);
    const failed = { event: "mail_failed", mail: "subscription_confirmed", error: "SyntaxError" };
    expect(events).toEqual([{ ...failed, reason: "no_answer" }]);
    expect(await queue()).toMatchObject([
      { outcome: null, tries: 1 },
      { outcome: "sent", tries: 1 },
    ]);
    await makeDue();
    await edit(env, `UPDATE mail_queue SET created_at = ${daysAgo(3)}`);
    await deliverMail(deps());
    expect(events.at(-1)).toEqual({ ...failed, reason: "given_up" });
    expect(await queue()).toMatchObject([{ outcome: "refused", tries: 2 }, {}]);
  });

  it("a mail that is refused for good ends at once", async () => {
    await post.answer({ status: 400 });
    await stores.mail.enqueue(mail("a"));
    await deliverMail(deps());
    expect(await queue()).toEqual([{ outcome: "refused", tries: 1, wait: null }]);
    expect(events).toEqual([{ event: "mail_failed", mail: "subscription_confirmed", reason: "refused" }]);
  });

  it("killed between sending and marking, it is sent again later: at least once", async () => {
    await stores.mail.enqueue(mail("a"));
    const faulty = faultyStores(stores, { "mail.end": ["killed before"] });
    await Promise.race([deliverMail(deps({ stores: faulty.stores })), faulty.killed]);
    expect(await post.posted()).toHaveLength(1);
    expect(await deliverMail(deps()), "not before its pause").toBe(0);
    await makeDue();
    expect(await deliverMail(deps())).toBe(1);
    expect(await post.posted()).toHaveLength(2);
    expect(await queue()).toMatchObject([{ outcome: "sent", tries: 2 }]);
  });

  it("without an address it ends, and says so", async () => {
    const silent = await createOwner({ email: null });
    await stores.mail.enqueue({ ...mail("a"), userId: silent.user });
    await deliverMail(deps());
    expect(await queue()).toMatchObject([{ outcome: "no_address" }]);
    expect(events).toMatchObject([{ event: "mail_failed", reason: "no_address" }]);
    expect(await post.posted()).toEqual([]);
  });

  it("what is not true any more is not sent", async () => {
    const id = await createRow(owner, `authorized_at = ${daysAgo(1)}`);
    for (const kind of ["reauth_needed", "reauth_reminder"] as const) {
      await stores.mail.enqueue({ occasion: kind, kind, userId: owner.user, connectionId: id });
      await stores.mail.enqueue({
        occasion: `${kind} gone`,
        kind,
        userId: owner.user,
        connectionId: "con_gone",
      });
    }
    await deliverMail(deps());
    expect((await queue()).map(({ outcome }) => outcome)).toEqual(
      Array.from({ length: 4 }, () => "obsolete"),
    );
    expect(await post.posted()).toEqual([]);
  });

  it("one run takes a few, and the next the others", async () => {
    for (let at = 0; at < 7; at += 1) await stores.mail.enqueue(mail(`m${at}`));
    expect(await deliverMail(deps())).toBe(5);
    expect(await deliverMail(deps())).toBe(2);
  });
});
