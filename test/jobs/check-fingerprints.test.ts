import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { levelOf } from "../../src/lib/log.ts";
import { laggingQuery, loadedQuery, readyQuery, silence } from "../../src/store/rotation-queries.ts";
import {
  all,
  createWorker,
  keyringOf,
  makeKey,
  makeWorkspace,
  mortal,
  pass,
  wipe,
  type MadeKey,
  type Worker,
} from "../support/rotation.ts";

const minute = 60_000;
let [lost, kept]: MadeKey[] = [];
let [withLost, without, withBoth]: Worker[] = [];

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("not set up");
  return value;
}

beforeEach(async () => {
  await wipe();
  [lost, kept] = [await makeKey(), await makeKey()];
  withLost = createWorker(await keyringOf(lost));
  without = createWorker(await keyringOf(kept));
  withBoth = createWorker(await keyringOf(lost, kept));
});

const orphaned = (worker: Worker | undefined) =>
  given(worker).events.filter((event) => event.event === "master_key_orphaned");
/** Calls of the storage that a report takes. */
const callsOfReport = async () => {
  const counted = mortal(Number.POSITIVE_INFINITY, "before");
  await createWorker(given(withBoth).keyring, counted.stores).report();
  return counted.calls();
};

const mails = async () => await all<{ occasion: string }>("SELECT occasion FROM mail_queue");

describe("the report of a deployment", () => {
  it("names its keys in order, the active one last, and when it was first and last heard", async () => {
    await given(withBoth).report();
    await pass(minute);
    await given(withBoth).report();
    const rows = await all<{ first_at: number; last_at: number }>(loadedQuery());
    expect(rows).toEqual([
      expect.objectContaining({
        fingerprints: `${given(lost).fingerprint},${given(kept).fingerprint}`,
        active: given(kept).fingerprint,
      }),
    ]);
    expect((rows[0]?.last_at ?? 0) - (rows[0]?.first_at ?? 0)).toBeGreaterThanOrEqual(minute);
  });

  it("tells a script who is there, and who lacks a key", async () => {
    await given(withLost).report();
    await given(withBoth).report();
    const target = given(kept).fingerprint;
    expect(await all(readyQuery(target))).toHaveLength(1);
    expect(await all(readyQuery(given(lost).fingerprint)), "active, not only loaded").toHaveLength(1);
    expect(await all(laggingQuery(target))).toEqual([
      expect.objectContaining({ fingerprints: given(lost).fingerprint }),
    ]);
    await pass(silence);
    await given(withBoth).report();
    expect(await all(laggingQuery(target))).toEqual([]);
  });

  it("is forgotten after 30 days", async () => {
    await given(withLost).report();
    await pass(30 * 86_400_000 + minute);
    await given(withBoth).report();
    expect(await all("SELECT 1 FROM loaded_keys")).toHaveLength(1);
  });
});

describe("a master key that stored data needs and nobody has", () => {
  beforeEach(async () => {
    const id = await given(withLost).connect(await makeWorkspace());
    await given(withLost).connect(await makeWorkspace());
    expect(id).toMatch(/^con_/);
    await env.DB.batch([
      env.DB.prepare("INSERT INTO data_keys (id, owner, created_at) VALUES ('00', 'deployment', 0)"),
      env.DB.prepare("INSERT INTO data_key_wrappings VALUES ('00', ?1, 'AQE', 0)").bind(
        given(lost).fingerprint,
      ),
      env.DB.prepare(
        `INSERT INTO client_registrations (id, issuer, redirect_uri, client_id, method, data_key_id, sealed, created_at)
         VALUES ('reg_1', 'i', 'r', 'c', 'none', '00', 'x', 0)`,
      ),
    ]);
  });

  it("is an error in the log at every run, with what only it opens, and one mail", async () => {
    for (let at = 0; at < 3; at += 1) await given(without).report();
    expect(orphaned(without)).toHaveLength(3);
    expect(orphaned(without)[0]).toEqual({
      event: "master_key_orphaned",
      fingerprint: given(lost).fingerprint,
      data_keys: 3,
      client_registrations: 1,
    });
    expect(orphaned(without).map(levelOf)).toEqual(["error", "error", "error"]);
    expect(await mails()).toHaveLength(1);
  });

  it("is mailed when whoever found it died before, and not again once that mail is forgotten", async () => {
    await given(without).report();
    await env.DB.prepare("DELETE FROM mail_queue").run();
    await given(without).report();
    await given(without).report();
    expect(await mails()).toHaveLength(1);
    await env.DB.prepare("DELETE FROM mail_queue").run();
    await env.DB.prepare("UPDATE orphaned_keys SET found_at = found_at - 90000000").run();
    await given(without).report();
    expect(await mails()).toEqual([]);
  });

  it("two runs at once record and mail it once", async () => {
    await Promise.all([given(without).report(), given(without).report(), given(without).report()]);
    expect(await mails()).toHaveLength(1);
    expect(await all("SELECT 1 FROM orphaned_keys")).toHaveLength(1);
  });

  it("is none while another deployment has it, as in a rotation", async () => {
    await given(withLost).report();
    await given(without).report();
    expect(orphaned(without)).toEqual([]);
    await pass(5 * minute);
    await given(without).report();
    expect(orphaned(without)).toHaveLength(1);
  });

  it("is none once each data key has another wrapping", async () => {
    await env.DB.prepare(
      "INSERT INTO data_key_wrappings SELECT data_key_id, ?1, wrapped, 0 FROM data_key_wrappings",
    )
      .bind(given(kept).fingerprint)
      .run();
    await given(without).report();
    expect(orphaned(without)).toEqual([]);
  });

  it("is forgotten when it is back, and a mail again when it is lost again", async () => {
    await given(without).report();
    await given(withBoth).report();
    expect(await all("SELECT 1 FROM orphaned_keys")).toEqual([]);
    expect(given(withBoth).events).toContainEqual({
      event: "master_key_found",
      fingerprint: given(lost).fingerprint,
    });
    await pass(silence);
    await given(without).report();
    expect(await mails()).toHaveLength(2);
  });

  it("is looked for with a number of queries that does not depend on the number of data keys", async () => {
    const few = await callsOfReport();
    for (let at = 0; at < 20; at += 1) await given(withLost).connect(await makeWorkspace());
    expect(await callsOfReport()).toBe(few);
  });
});
