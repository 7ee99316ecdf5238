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

const facts = { access_expires_at: 1, refreshable: true, scope: null, due_at: null };
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
  parts: null,
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
const paymentEvent = { id: "evt_x", type: "t", object_id: null, created_at: 0 };

/** Calls every function of every store that asks D1, and returns each different statement. */
async function everyStatement(): Promise<readonly string[]> {
  const instance = createInstance(ledger.env);
  const person = await createPerson(instance);
  const { id } = await person.connect({ url: upstream().url, storage: "managed" });
  await person.connect({ url: upstream().url });
  const { workspace_id: workspace = "" } =
    (await env.DB.prepare("SELECT workspace_id FROM connections").first<{ workspace_id: string }>()) ?? {};
  const userId =
    (await env.DB.prepare("SELECT id FROM users WHERE workspace_id = ?1")
      .bind(workspace)
      .first<string>("id")) ?? "";
  const settlement = { ...plan, workspaceId: workspace, userId };
  const ticket = {
    workspace_id: workspace,
    user_id: userId,
    customer_id: "cus_x",
    number: 1,
    since: 0,
    plan: null,
    now: 0,
  };
  const called = new Set<string>();
  const {
    connections,
    grants,
    due,
    revocations,
    flows,
    registrations,
    users,
    dataKeys,
    logEvents,
    loadedKeys,
    rotations,
    replacedKeys,
    resealing,
    audit,
    auditRead,
    tokens,
    idempotency,
    supportNonces,
    usage,
    erasures,
    subscriptions,
    billingEvents,
  } = stores;
  const user = { id: userId, workspace_id: workspace, email: null };
  const entry = { type: "login", actor: "owner" } as const;
  const newToken = { id: "tok_x", name: "x", scope: "read", prefix: "x", hash: "x" } as const;
  const everything = { type: null, connection: null, from: 0, to: 1 };
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
    "connections.setLabel": async () => await connections.setLabel(workspace, id, "b", "owner"),
    "connections.touch": async () => await connections.touch(id, 1),
    "connections.activeAmong": async () => await connections.activeAmong([id, "other"]),
    "connections.blobsToCopy": async () => await connections.blobsToCopy(10),
    "connections.markBlobsCopied": async () =>
      await connections.markBlobsCopied(await connections.blobsToCopy(10)),
    "connections.clearCopiedBlobs": async () => await connections.clearCopiedBlobs(0),
    "connections.disconnect": async () =>
      await connections.disconnect(workspace, id, "pending", true, { actor: "owner", service: "custom" }),
    "connections.hasSibling": async () => await connections.hasSibling(workspace, id, "https://a.example"),
    "grants.read": async () => await grants.read(id),
    "grants.abandoned": async () => await grants.abandoned(1),
    "grants.acquire": async () => await grants.acquire(id, 1, 1, null),
    "grants.takeOver": async () => await grants.takeOver(id, 1),
    "grants.intend": async () => await grants.intend(lease, 1),
    "grants.commit": async () => await grants.commit(lease, "x", facts, "request"),
    "grants.adopt": async () => await grants.adopt(lease, 1, "x", facts, "request"),
    "grants.replace": async () => await grants.replace(lease, next, true, { workspaceId: workspace, entry }),
    "grants.release": async () => await grants.release(lease),
    "grants.handBack": async () => await grants.handBack(lease),
    "grants.postpone": async () =>
      await grants.postpone(lease, 1, { repeated: false, told: false }, "request"),
    "grants.unanswered": async () => await grants.unanswered(lease, { delay: 1, again: 1 }, false, "request"),
    "grants.markReauth": async () => await grants.markReauth(lease, "permanent", "request"),
    "grants.wantScope": async () => await grants.wantScope(id, "more"),
    "due.page": async () => [await due.page(null, 1, []), await due.page({ due_at: 1, id }, 9, ["a", "b"])],
    "due.claim": async () => await due.claim({ id, due_at: 1 }, 1),
    "due.putOff": async () => await due.putOff([{ id, due_at: 1, delay: null }]),
    "due.works": async () => await due.works({ id, gen: 1 }),
    "due.refused": async () => await due.refused({ id, gen: 1 }, null),
    "due.ended": async () => await due.ended({ id, gen: 1 }),
    "revocations.set": async () => await revocations.set(id, "pending", "revoked", null),
    "revocations.waiting": async () => await revocations.waiting(1),
    "revocations.claim": async () => await revocations.claim({ id, revocation_at: 1 }),
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
        1000,
      ),
    "users.setEmail": async () => await users.setEmail("usr_x", "a@b.example"),
    "users.noteLogin": async () => await users.noteLogin(user, "x").catch(String),
    "users.forgetLogins": async () => await users.forgetLogins(1),
    "audit.record": async () => await audit.record(workspace, entry, []),
    "audit.queued": async () => await ledger.env.DB.batch([audit.queued(workspace, entry, false)]),
    "audit.enqueue": async () => await audit.enqueue(workspace, entry),
    "audit.waiting": async () => await audit.waiting(1),
    "audit.chain": async () => await audit.chain(workspace, 10),
    "auditRead.list": async () => [
      await auditRead.list(workspace, everything, null, 1),
      await auditRead.list(workspace, { ...everything, type: "login" }, null, 1),
      await auditRead.list(workspace, { ...everything, connection: id }, { at: 1, seq: 1 }, 1),
      await auditRead.list(workspace, { ...everything, connection: id, type: "login" }, null, 1),
    ],
    "auditRead.follow": async () => await auditRead.follow(workspace, 0, 1),
    "auditRead.hashAt": async () => await auditRead.hashAt(workspace, 1),
    "auditRead.days": async () => await auditRead.days(workspace),
    "tokens.list": async () => await tokens.list(user.id),
    "tokens.insert": async () => await tokens.insert(user, newToken, 1).catch(String),
    "tokens.revoke": async () => await tokens.revoke(user, "tok_x", "owner"),
    "tokens.find": async () => await tokens.find("x"),
    "tokens.touch": async () => await tokens.touch("tok_x", 1),
    "idempotency.begin": async () => await idempotency.begin("usr_x", "x", "y").catch(String),
    "idempotency.finish": async () =>
      await idempotency.finish("usr_x", "x", { createdId: null, status: 201, answer: null }),
    "idempotency.forget": async () => await idempotency.forget("usr_x", "x"),
    "idempotency.purge": async () => await idempotency.purge(),
    "supportNonces.issue": async () => await supportNonces.issue(userId, "x"),
    "supportNonces.take": async () => await supportNonces.take(userId, "x"),
    "supportNonces.forget": async () => await supportNonces.forget(userId, "x"),
    "supportNonces.purge": async () => await supportNonces.purge(),
    "usage.add": async () =>
      await usage.add([{ id, day: 1, requests: 1, errors: 0, bytes: 0, duration_ms: 0 }]),
    "usage.days": async () => await usage.days(id, 30),
    "usage.signal": async () => [
      await usage.signal(id, "refused_since"),
      await usage.signal(id, "unreachable_since"),
      await usage.signal(id, null),
    ],
    "usage.purge": async () => await usage.purge(90),
    "erasures.begin": async () => await erasures.begin("x", "wsp_nobody"),
    "erasures.refusal": async () => await erasures.refusal("x", "y"),
    "erasures.close": async () => await erasures.close("wsp_nobody"),
    "erasures.identityWaits": async () => await erasures.identityWaits("x"),
    "usage.answered": async () => await usage.answered(id),
    "erasures.again": async () => await erasures.again("x"),
    "erasures.beginPurge": async () => await erasures.beginPurge("wsp_nobody", "con_nothing"),
    "erasures.take": async () => await erasures.take(1),
    "erasures.grants": async () => await erasures.grants(workspace),
    "erasures.connections": async () => await erasures.connections(workspace, 1),
    "erasures.purgeConnection": async () =>
      await erasures.purgeConnection("wsp_nobody", "con_nothing", { actor: "owner", service: "custom" }),
    "erasures.deleteConnection": async () => await erasures.deleteConnection("wsp_nobody", "con_nothing"),
    "erasures.deleteEvents": async () => await erasures.deleteEvents("wsp_nobody", 1),
    "erasures.identityOf": async () => await erasures.identityOf(workspace),
    "erasures.finish": async () => await erasures.finish({ person: "x", workspace_id: "wsp_nobody" }),
    "erasures.toSweep": async () => await erasures.toSweep(1),
    "erasures.swept": async () => await erasures.swept("con_nothing"),
    "erasures.forgetPersons": async () => await erasures.forgetPersons(),
    "dataKeys.get": async () => await dataKeys.get("00", ["a", "b"]),
    "dataKeys.newest": async () => await dataKeys.newest(workspace, ["a", "b"]),
    "dataKeys.insertFirst": async () =>
      await dataKeys.insertFirst("somebody", "00", [{ fingerprint: "a", wrapped: "AA" }], 0),
    "dataKeys.replacing": async () => await dataKeys.replacing("a"),
    "loadedKeys.report": async () => await loadedKeys.report(["a", "b"], "b"),
    "loadedKeys.recent": async () => await loadedKeys.recent(1),
    "loadedKeys.lacking": async () => await loadedKeys.lacking("a", 1),
    "loadedKeys.inUse": async () => await loadedKeys.inUse(),
    "loadedKeys.orphans": async () => await loadedKeys.orphans(),
    "loadedKeys.recordOrphan": async () => await loadedKeys.recordOrphan("a", [["a", "b"]]),
    "loadedKeys.forgetOrphan": async () => await loadedKeys.forgetOrphan("a"),
    "rotations.open": async () => await rotations.open(),
    "rotations.overtake": async () => await rotations.overtake(1),
    "rotations.reach": async () => [
      await rotations.reach(1, "rewrapped"),
      await rotations.reach(1, "settled"),
      await rotations.reach(1, "finished"),
    ],
    "rotations.pause": async () => await rotations.pause(1, "", 0),
    "rotations.wrappedBy": async () => await rotations.wrappedBy(["a"], ["a", "b"], "", 1),
    "rotations.addWrappings": async () => await rotations.addWrappings("a", [{ id: "00", wrapped: "AA" }]),
    "replacedKeys.oldKeys": async () =>
      await replacedKeys.oldKeys({ id: 1, fingerprint: "a" }, ["a", "b"], { rotation: -1, id: "" }, 1),
    "replacedKeys.insertKeys": async () =>
      await replacedKeys.insertKeys({ id: 1, fingerprint: "a" }, [
        { id: "01", owner: "nobody", wrapped: "AA" },
      ]),
    "resealing.sealedUnder": async () => await resealing.sealedUnder(["00"], { dataKey: "", id: "" }, 1),
    "resealing.commit": async () => await resealing.commit([]),
    "resealing.releaseEmpty": async () => await resealing.releaseEmpty(["00"]),
    "resealing.registrationsUnder": async () => await resealing.registrationsUnder(["00"], "", 1),
    "resealing.commitRegistrations": async () => await resealing.commitRegistrations("00", []),
    "replacedKeys.deleteSpent": async () => await replacedKeys.deleteSpent(1, ["00"], "a"),
    "replacedKeys.isLeft": async () => await replacedKeys.isLeft(1),
    "audit.queuedForEach": async () =>
      await ledger.env.DB.batch([
        stores.audit.queuedForEach(
          { type: "anomaly", actor: "system" },
          "SELECT id FROM workspaces WHERE id = ?1",
          ["nobody"],
        ),
      ]),
    "logEvents.insert": async () => await logEvents.insert([{ level: "warn", line: "x" }], 1),
    "logEvents.oldest": async () => await logEvents.oldest(1),
    "logEvents.deleteUpTo": async () => await logEvents.deleteUpTo(1),
    "subscriptions.read": async () => await subscriptions.read(workspace),
    "subscriptions.bind": async () => await subscriptions.bind(workspace, userId, "cus_x", null),
    "subscriptions.takeTicket": async () => await subscriptions.takeTicket("cus_x"),
    "subscriptions.apply": async () => [
      await subscriptions.apply(ticket, planFacts, settlement, paymentEvent),
      await subscriptions.apply(ticket, planFacts, settlement, null),
    ],
    "subscriptions.settle": async () => await subscriptions.settle(settlement, null),
    "subscriptions.due": async () => await subscriptions.due(1),
    "subscriptions.lookWithin": async () => await subscriptions.lookWithin(workspace, 1),
    "subscriptions.postpone": async () => await subscriptions.postpone([workspace, "wsp_x"], 1),
    "subscriptions.nextIntent": async () => await subscriptions.nextIntent(workspace, 0),
    "subscriptions.withSuspended": async () => await subscriptions.withSuspended(1),
    "billingEvents.has": async () => await billingEvents.has("evt_x"),
    "billingEvents.purge": async () => await billingEvents.purge(),
    "billingEvents.forget": async () => await billingEvents.forget(workspace),
    "subscriptions.forget": async () => await subscriptions.forget(workspace),
  };
  for (const [name, run] of Object.entries(backgroundCalls(workspace, id))) calls[name] = run;
  for (const [name, run] of Object.entries(calls)) {
    await run();
    called.add(name);
  }
  const existing = Object.entries({
    connections,
    grants,
    due,
    revocations,
    flows,
    registrations,
    users,
    dataKeys,
    loadedKeys,
    rotations,
    replacedKeys,
    resealing,
    logEvents,
    audit,
    auditRead,
    tokens,
    idempotency,
    supportNonces,
    usage,
    erasures,
    subscriptions,
    billingEvents,
    mail: stores.mail,
    reminders: stores.reminders,
    anomalies: stores.anomalies,
    purge: stores.purge,
    auditPrune: stores.auditPrune,
  }).flatMap(([store, functions]) => Object.keys(functions).map((name) => `${store}.${name}`));
  expect([...called].toSorted(), "a new store function is added to this list").toEqual(existing.toSorted());
  return [
    ...new Set(ledger.calls.filter((call) => call.operation.startsWith("d1:")).map((call) => call.what)),
  ];
}

/** The stores that background work alone uses. */
function backgroundCalls(workspace: string, id: string): Record<string, () => Promise<unknown>> {
  const { anomalies, audit, auditPrune, mail, purge, reminders } = stores;
  const event = { type: "refresh_succeeded", actor: "system" } as const;
  const wanted = { occasion: "x", kind: "anomaly", userId: null, connectionId: id } as const;
  const purged = { id: "con_x", workspace_id: workspace, service: "custom", gen: 1, blob_fence: 0 };
  const after = { at: 1, id: "x" };
  return {
    "mail.enqueue": async () => await mail.enqueue(wanted),
    "mail.queued": async () => await ledger.env.DB.batch([mail.queued(wanted, true)]),
    "mail.due": async () => await mail.due(10),
    "mail.claim": async () => await mail.claim({ id: 1, tries: 0 }, 1),
    "mail.end": async () => await mail.end(1, "sent"),
    "mail.deleteEnded": async () => await mail.deleteEnded(1, 1),
    "reminders.reauth": async () => await reminders.reauth(after, 1),
    "reminders.age": async () => await reminders.age(after, 1),
    "anomalies.suspects": async () => await anomalies.suspects("", 1),
    "anomalies.tell": async () =>
      await anomalies.tell([
        { suspect: { id, day: 1, told: "" }, anomalies: [{ kind: "many_calls", numbers: { calls: 1 } }] },
      ]),
    "purge.superseded": async () => await purge.superseded(1),
    "purge.forgetSuperseded": async () => await purge.forgetSuperseded([{ name: "x", delete_after: 1 }]),
    "purge.expired": async () => await purge.expired(1),
    "purge.begin": async () => await purge.begin("con_x"),
    "purge.supersededOf": async () => await purge.supersededOf("con_x"),
    "purge.finish": async () => await purge.finish(purged),
    "auditPrune.waiting": async () => await auditPrune.waiting("", 1),
    "audit.record": async () => await audit.record(workspace, { type: "login", actor: "owner" }, []),
    "audit.queued": async () => await ledger.env.DB.batch([audit.queued(workspace, event, true)]),
    "audit.enqueue": async () => await audit.enqueue(workspace, event),
    "audit.waiting": async () => await audit.waiting(1),
    "audit.chain": async () => await audit.chain(workspace, 1),
    "audit.chainOldest": async () => await audit.chainOldest(1),
    "auditPrune.prune": async () => await auditPrune.prune(workspace, 1),
  };
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
  if (!/^SCAN\b/.test(detail) || /^SCAN (?:CONSTANT ROW|\w+ VIRTUAL TABLE)/.test(detail)) return false;
  // A subquery that a LIMIT ends, and which is asked for by itself too.
  if (detail === "SCAN page") return false;
  // The few lists of master keys that a recursion over the index finds, and rows that a subquery names by their ids.
  if (/^SCAN (?:sets|owned)$/.test(detail)) return false;
  // The queue itself, in the order of its index: it is emptied each minute.
  if (detail.startsWith("SCAN audit_queue USING COVERING INDEX") && sql.includes("LIMIT")) return false;
  // A subquery's own rows, and a look that ends at the first user too many.
  if (
    /^SCAN (?:\(subquery|k$)/.test(detail) ||
    (detail.startsWith("SCAN users ") && /FROM users LIMIT/.test(sql))
  )
    return false;
  // The oldest lines, by primary key, up to the limit.
  if (/^SCAN (?:log_events|audit_queue)$/.test(detail) && /ORDER BY id LIMIT/.test(sql)) return false;
  return true;
}
