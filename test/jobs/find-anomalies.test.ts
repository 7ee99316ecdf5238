import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { findAnomalies } from "../../src/jobs/find-anomalies.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createStores } from "../../src/store/index.ts";
import { findLeaks, textCanary } from "../support/canary.ts";
import { createInstance } from "../support/instance.ts";
import { createOwner, createRow, type Owner } from "../support/owner.ts";
import { createPerson } from "../support/person.ts";
import { faultyStores, type StoreFault } from "../support/refresh/faulty.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const stores = createStores(env.DB, env.BLOBS);
const deps = { stores, random: systemRandom, backgroundBudget: 3 };
/** Begins at the first connection, so that all of them are on one page. */
const zeros = (length: number) => new Uint8Array(length);
let owner: Owner;
/** The day that a run looks at now. */
let today: number;

beforeEach(async () => {
  for (const table of ["mail_queue", "audit_queue", "connections"]) await edit(env, `DELETE FROM ${table}`);
  owner = await createOwner();
  today =
    (await env.DB.prepare("SELECT (unixepoch() - 7200) / 86400 AS day").first<number>("day")) ?? Number.NaN;
});

interface Used {
  readonly requests?: number;
  readonly errors?: number;
  readonly refreshes?: number;
}

/** What a connection did on the day so many days ago. */
async function used(id: string, daysAgo: number, { requests = 0, errors = 0, refreshes = 0 }: Used) {
  await edit(
    env,
    `INSERT INTO usage_days (connection_id, day, requests, errors, refreshes) VALUES (?1, ?2, ?3, ?4, ?5)
     ON CONFLICT (connection_id, day) DO UPDATE SET requests = excluded.requests, errors = excluded.errors,
       refreshes = excluded.refreshes`,
    id,
    today - daysAgo,
    requests,
    errors,
    refreshes,
  );
}

/** A connection that is years old, was used yesterday, and is used today. */
async function createUsed(use: Used, columns = "gen = gen", label = "Work"): Promise<string> {
  const id = await createRow(owner, columns, label);
  await used(id, 1, { requests: 20, refreshes: 2 });
  await used(id, 0, use);
  return id;
}

async function events(): Promise<readonly unknown[]> {
  const { results } = await env.DB.prepare(
    "SELECT workspace_id, type, actor, connection_id, service, detail FROM audit_queue ORDER BY id",
  ).all<{ detail: string }>();
  return results.map(({ detail, ...event }): unknown => {
    const parsed: unknown = JSON.parse(detail);
    return { ...event, detail: parsed };
  });
}

async function mails(): Promise<readonly Record<string, unknown>[]> {
  const { results } = await env.DB.prepare(
    "SELECT occasion, kind, user_id, connection_id, detail FROM mail_queue ORDER BY id",
  ).all();
  return results;
}

async function silentBefore(): Promise<string> {
  const id = await createRow(owner, "gen = gen");
  await used(id, 90, { requests: 5 });
  // Renewals in the background are no calls.
  await used(id, 3, { refreshes: 24 });
  await used(id, 0, { requests: 1 });
  return id;
}

describe("unusual use of a connection", () => {
  it.each([
    [
      "calls",
      async () => await createUsed({ requests: 900 }),
      { kind: "many_calls", calls: 900, busiest_day: 20 },
    ],
    [
      "renewals",
      async () => await createUsed({ requests: 9, refreshes: 70 }),
      { kind: "many_renewals", renewals: 70, busiest_day: 2 },
    ],
    [
      "refusals",
      async () => await createUsed({ requests: 60, errors: 55 }),
      { kind: "many_refusals", refusals: 55, calls: 60 },
    ],
    ["silence", silentBefore, { kind: "after_silence", days: 90 }],
  ])("%s: one event and one mail, once a day", async (_, create, detail) => {
    const id = await create();
    await createUsed({ requests: 30, errors: 2, refreshes: 3 });
    expect(await findAnomalies(deps)).toBe(1);
    expect(await findAnomalies(deps)).toBe(0);
    expect(await events()).toEqual([
      {
        workspace_id: owner.workspace,
        type: "anomaly",
        actor: "system",
        connection_id: id,
        service: "linear",
        detail,
      },
    ]);
    expect(await mails()).toEqual([
      {
        occasion: `anomaly/${id}/${today}/${detail.kind}`,
        kind: "anomaly",
        user_id: owner.user,
        connection_id: id,
        detail: JSON.stringify(detail),
      },
    ]);
  });

  it("what comes later on the same day is told too, and what was told is not told again", async () => {
    const id = await createUsed({ requests: 60, errors: 55 });
    expect(await findAnomalies(deps)).toBe(1);
    await used(id, 0, { requests: 900, errors: 880, refreshes: 70 });
    expect(await findAnomalies(deps)).toBe(2);
    expect(await findAnomalies(deps)).toBe(0);
    expect((await mails()).map(({ occasion }) => occasion)).toEqual([
      `anomaly/${id}/${today}/many_refusals`,
      `anomaly/${id}/${today}/many_calls`,
      `anomaly/${id}/${today}/many_renewals`,
    ]);
  });

  it("what goes on the next day is usual by then", async () => {
    const id = await createUsed({ requests: 900, errors: 900, refreshes: 70 });
    await used(id, 1, { requests: 900, errors: 900, refreshes: 70 });
    expect(await findAnomalies(deps)).toBe(0);
  });

  it("not of one that is new, was signed in to, is disconnected, down, or in need of a sign-in", async () => {
    const now = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
    const burst = { requests: 900, refreshes: 70 };
    await createUsed(burst, `created_at = ${now}, authorized_at = ${now}`);
    await createUsed(burst, `authorized_at = ${now}`);
    await createUsed(burst, "status = 'disconnected', disconnected_at = 1");
    await createUsed({ requests: 60, errors: 60 }, `unreachable_since = ${now}`);
    await createUsed({ requests: 60, errors: 60 }, `state = 'reauth', reauth_since = ${now}`);
    const silent = await createRow(owner, `authorized_at = ${now}`);
    await used(silent, 0, { requests: 1 });
    expect(await findAnomalies(deps)).toBe(0);
  });

  it("89 days without a call are no silence", async () => {
    const id = await silentBefore();
    await used(id, 89, { requests: 1 });
    expect(await findAnomalies(deps)).toBe(0);
  });

  it("without mail the event stands alone", async () => {
    await createUsed({ requests: 900 });
    const quiet = createStores(env.DB, env.BLOBS, 90, false);
    expect(await findAnomalies({ ...deps, stores: quiet })).toBe(1);
    expect(await events()).toHaveLength(1);
    expect(await mails()).toEqual([]);
  });
});

describe("runs", () => {
  it.each<StoreFault>(["killed before", "killed after"])(
    "one that is %s it told leaves all or nothing to the next",
    async (fault) => {
      for (let at = 0; at < 3; at += 1) await createUsed({ requests: 900, refreshes: 70 });
      const faulty = faultyStores(stores, { "anomalies.tell": [fault] });
      const run = findAnomalies({ ...deps, random: zeros, stores: faulty.stores });
      expect(await Promise.race([run, faulty.killed])).toBe("killed");
      expect(await findAnomalies(deps)).toBe(fault === "killed before" ? 6 : 0);
      expect(await events()).toHaveLength(6);
      expect(await mails()).toHaveLength(6);
    },
  );

  it("that meet tell it once", async () => {
    await createUsed({ requests: 900 });
    const counts = await Promise.all([1, 2, 3].map(async () => await findAnomalies(deps)));
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(await events()).toHaveLength(1);
  });

  it("go through all pages in the order of the connections", async () => {
    const ids: string[] = [];
    for (let at = 0; at < 5; at += 1) ids.push(await createUsed({ requests: 900 }));
    const found: string[] = [];
    let after: string | null = "";
    while (after !== null) {
      const page: Awaited<ReturnType<typeof stores.anomalies.suspects>> = await stores.anomalies.suspects(
        after,
        2,
      );
      found.push(...page.suspects.map(({ id }) => id));
      after = page.next;
    }
    expect(found).toEqual(ids.toSorted());
  });

  it("ask for no more pages than the budget allows, and begin anywhere", async () => {
    const starts: string[] = [];
    const anomalies = {
      ...stores.anomalies,
      suspects: async (after: string) => {
        starts.push(after);
        return await Promise.resolve({ suspects: [], next: after === "" ? "con_0" : `${after}0` });
      },
    };
    await findAnomalies({ ...deps, stores: { anomalies } });
    await findAnomalies({ ...deps, stores: { anomalies } });
    expect(starts).toHaveLength(6);
    expect(starts[0]).toMatch(/^con_[0-9a-f]{32}$/);
    expect(starts[0]).not.toBe(starts[3]);
  });
});

describe("on its way to the owner", () => {
  it("T90 the hourly run puts it into the log and the queue of mail, with no credential, address or label", async () => {
    const instance = createInstance({ SMTP2GO_API_KEY: "api-x", MAIL_SENDER: "bindify@example.com" });
    const person = await createPerson(instance);
    const connected = await person.connect({ url: upstream().url });
    const { id } = connected;
    const label = "canary-of-a-label";
    const columns = "created_at = 1, authorized_at = 1, label = ?2";
    await edit(env, `UPDATE connections SET ${columns} WHERE id = ?1`, id, label);
    await used(id, 1, { requests: 20 });
    await used(id, 0, { requests: 900, errors: 890 });
    const seen = async () => await (await person.call("GET", "/api/events?type=anomaly")).text();

    await instance.cron("17 * * * *");
    await instance.cron("17 * * * *");

    expect((await seen()).split('"kind":"many_calls","calls":900')).toHaveLength(2);
    expect((await seen()).split('"kind":"many_refusals","refusals":890,"calls":900')).toHaveLength(2);
    expect(await mails()).toHaveLength(2);
    const { results: log } = await env.DB.prepare("SELECT * FROM audit_events").all();
    const secrets = { label, credential: connected.text, key: connected.apiKey, service: upstream().url };
    const canaries = Object.entries(secrets).map(([name, text]) => textCanary(name, text));
    const texts = { page: await seen(), mail: JSON.stringify(await mails()), log: JSON.stringify(log) };
    const haystacks = Object.entries(texts).map(([place, text]) => ({ place, text }));
    expect(findLeaks(haystacks, canaries)).toEqual([]);
  });
});
