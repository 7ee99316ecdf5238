import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { createStores } from "../../src/store/index.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";
import { newId } from "../../src/connect/mint.ts";

const ledger = countedEnv();
const stores = createStores(ledger.env.DB, ledger.env.BLOBS);

const facts = { access_expires_at: 1, refreshable: true, scope: null };
const next = {
  blob: "x",
  lookup: "never",
  verifier: "x",
  storage: "zero_knowledge",
  kind: "key",
  data_key_id: null,
  upstream_url: "https://a.example",
  issuer: null,
  facts,
} as const;
// Neither is stored: their data key does not exist. The statement has been asked all the same.
const flow = {
  state_hash: "x",
  user_id: "u",
  workspace_id: "w",
  data_key_id: "none",
  sealed: "x",
  return_to: "r",
};
const registration = {
  id: "reg_x",
  issuer: "i",
  redirect_uri: "r",
  client_id: "c",
  method: "none",
  data_key_id: "none",
  sealed: "x",
  expires_at: null,
} as const;

const planFacts = {
  subscription_id: null,
  status: "none",
  quantity: 0,
  period_end: null,
  cancel_at: null,
  past_due_since: null,
  paid_until: null,
};
const plan = {
  plan: "none",
  limit: 0,
  auditDays: 7,
  nextLook: null,
  mail: null,
  occasion: "x",
  silent: false,
} as const;
const event = { id: "evt_x", type: "t", object_id: null, created_at: 0 };

/** Calls every function of every store that asks D1, and returns each different statement. */
async function everyStatement(): Promise<readonly string[]> {
  const instance = createInstance(ledger.env);
  const person = await createPerson(instance);
  const { id } = await person.connect({ url: upstream().url, storage: "managed" });
  await person.connect({ url: upstream().url });
  const { workspace_id: workspace = "" } =
    (await env.DB.prepare("SELECT workspace_id FROM connections").first<{ workspace_id: string }>()) ?? {};
  const user =
    (await env.DB.prepare("SELECT id FROM users WHERE workspace_id = ?1")
      .bind(workspace)
      .first<string>("id")) ?? "";
  const settlement = { ...plan, workspaceId: workspace, userId: user };
  const ticket = { workspace_id: workspace, user_id: user, number: 1, since: 0, plan: null, now: 0 };
  const called = new Set<string>();
  const { connections, grants, flows, registrations, users, dataKeys, logEvents } = stores;
  const { subscriptions, billingEvents } = stores;
  const lease = { connectionId: id, gen: 1, fence: 1 };
  const calls: Record<string, () => Promise<unknown>> = {
    "connections.insert": async () => await person.connect({ url: upstream().url }),
    "connections.admit": async () => [
      await connections.admit("x", []),
      await connections.admit("x", ["a", "b", "c"]),
      await connections.admit("x", ["a"], true),
    ],
    "connections.get": async () => await connections.get(workspace, id),
    "connections.list": async () => [
      await connections.list(workspace, 1, null),
      await connections.list(workspace, 10, { createdAt: 1, id }),
    ],
    "connections.setLabel": async () => await connections.setLabel(workspace, id, "b"),
    "connections.touch": async () => await connections.touch(id, 1),
    "connections.activeAmong": async () => await connections.activeAmong([id, "other"]),
    "connections.blobsToCopy": async () => await connections.blobsToCopy(10),
    "connections.markBlobsCopied": async () =>
      await connections.markBlobsCopied(await connections.blobsToCopy(10)),
    "connections.clearCopiedBlobs": async () => await connections.clearCopiedBlobs(0),
    "connections.disconnect": async () => await connections.disconnect(workspace, id, "pending", true),
    "connections.setRevocation": async () => await connections.setRevocation(id, "pending", "revoked"),
    "connections.hasSibling": async () => await connections.hasSibling(workspace, id, "https://a.example"),
    "grants.read": async () => await grants.read(id),
    "grants.abandoned": async () => await grants.abandoned(1),
    "grants.acquire": async () => await grants.acquire(id, 1, 1, null),
    "grants.takeOver": async () => await grants.takeOver(id, 1),
    "grants.intend": async () => await grants.intend(lease, 1),
    "grants.commit": async () => await grants.commit(lease, "x", facts),
    "grants.adopt": async () => await grants.adopt(lease, 1, "x", facts),
    "grants.replace": async () => await grants.replace(lease, next, true),
    "grants.release": async () => await grants.release(lease),
    "grants.postpone": async () => await grants.postpone(lease, 1, false),
    "grants.unanswered": async () => await grants.unanswered(lease, 1),
    "grants.markReauth": async () => await grants.markReauth(lease),
    "grants.wantScope": async () => await grants.wantScope(id, "more"),
    "flows.insert": async () => await flows.insert(flow).catch(String),
    "flows.take": async () => await flows.take("x", "y"),
    "flows.returnTo": async () => await flows.returnTo("x"),
    "flows.deleteExpired": async () => await flows.deleteExpired(),
    "registrations.current": async () => await registrations.current("i", "r", 1),
    "registrations.insert": async () => await registrations.insert(registration).catch(String),
    "registrations.forget": async () => await registrations.forget("i", "c"),
    "users.find": async () => await users.find("i", "s"),
    "users.provision": async () =>
      await users.provision(
        { issuer: "i", subject: "s", email: null },
        { user: newId("usr", systemRandom), workspace: newId("wsp", systemRandom) },
      ),
    "dataKeys.get": async () => await dataKeys.get("00", ["a", "b"]),
    "dataKeys.newest": async () => await dataKeys.newest(workspace, ["a", "b"]),
    "dataKeys.insertFirst": async () =>
      await dataKeys.insertFirst("somebody", { id: "00", wrapped: "AA" }, "a"),
    "logEvents.insert": async () => await logEvents.insert([{ level: "warn", line: "x" }], 1),
    "logEvents.oldest": async () => await logEvents.oldest(1),
    "logEvents.deleteUpTo": async () => await logEvents.deleteUpTo(1),
    "subscriptions.read": async () => await subscriptions.read(workspace),
    "subscriptions.bind": async () => await subscriptions.bind(workspace, user, "cus_x", null),
    "subscriptions.takeTicket": async () => await subscriptions.takeTicket("cus_x"),
    "subscriptions.apply": async () => [
      await subscriptions.apply(ticket, planFacts, settlement, event),
      await subscriptions.apply(ticket, planFacts, settlement, null),
    ],
    "subscriptions.settle": async () => await subscriptions.settle(settlement, null),
    "subscriptions.due": async () => await subscriptions.due(1),
    "subscriptions.lookWithin": async () => await subscriptions.lookWithin(workspace, 1),
    "subscriptions.postpone": async () => await subscriptions.postpone(workspace, 1),
    "subscriptions.withSuspended": async () => await subscriptions.withSuspended(1),
    "billingEvents.has": async () => await billingEvents.has("evt_x"),
    "billingEvents.purge": async () => await billingEvents.purge(),
    "billingEvents.forget": async () => await billingEvents.forget(workspace),
    "subscriptions.forget": async () => await subscriptions.forget(workspace),
  };
  for (const [name, run] of Object.entries(calls)) {
    await run();
    called.add(name);
  }
  const existing = Object.entries({
    connections,
    grants,
    flows,
    registrations,
    users,
    dataKeys,
    logEvents,
    subscriptions,
    billingEvents,
  }).flatMap(([store, functions]) => Object.keys(functions).map((name) => `${store}.${name}`));
  expect([...called].toSorted(), "a new store function is added to this list").toEqual(existing.toSorted());
  return [
    ...new Set(ledger.calls.filter((call) => call.operation.startsWith("d1:")).map((call) => call.what)),
  ];
}

describe("every statement in use", () => {
  it("finds its rows by an index: EXPLAIN QUERY PLAN shows no scan", async () => {
    const statements = await everyStatement();
    expect(statements.length).toBeGreaterThan(17);
    const scans: string[] = [];
    for (const sql of statements) {
      const parameters = Math.max(0, ...[...sql.matchAll(/\?(\d+)/g)].map((found) => Number(found[1])));
      const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...Array.from({ length: parameters }, () => "1"))
        .all<{ detail: string }>();
      for (const { detail } of results) if (isScan(detail, sql)) scans.push(`${detail} in ${sql}`);
    }
    expect(scans).toEqual([]);
  });

  it("a scan would be found", async () => {
    const { results } = await env.DB.prepare(
      "EXPLAIN QUERY PLAN SELECT id FROM connections WHERE label = 'x'",
    ).all<{ detail: string }>();
    expect(results.some(({ detail }) => isScan(detail, ""))).toBe(true);
  });
});

/** `SCAN … USING INDEX` walks an index in order, which a LIMIT ends; a row constant and json_each are no tables. */
function isScan(detail: string, sql: string): boolean {
  if (!/^SCAN\b/.test(detail) || /^SCAN (?:CONSTANT ROW|copied VIRTUAL TABLE)/.test(detail)) return false;
  // The oldest lines, by primary key, up to the limit.
  if (/^SCAN log_events$/.test(detail) && /ORDER BY id LIMIT/.test(sql)) return false;
  return true;
}
