import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { openOwn, sealOwn } from "../../src/grants/deployment-seal.ts";
import { newestKey } from "../../src/grants/grant-key.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { dataKeys, finish, setUp, settle, state } from "../support/reencryption.ts";
import { all, stores } from "../support/rotation.ts";

/** For tests that go through every step in turn, ms. */
const left = async () => (await all("SELECT 1 FROM connections WHERE gen = 1")).length;

const set = async (id: string | undefined, assignment: string) =>
  await env.DB.prepare(`UPDATE connections SET ${assignment} WHERE id = ?1`)
    .bind(id ?? "")
    .run();

describe("re-encrypting", () => {
  it("a workspace with more connections than a run takes is done in several", async () => {
    const up = await setUp(1, 205);
    await settle(up);
    await up.both.rotate();
    expect(await left()).toBe(5);
    await up.both.rotate();
    expect(await left()).toBe(0);
    await finish(up);
    expect((await state())?.finished_at).not.toBeNull();
  });

  it("registrations move too, and flows end by themselves", async () => {
    const up = await setUp(2, 2);
    const deps = { keyring: up.both.keyring, environment: "test", random: systemRandom, stores } as const;
    const { sealed, dataKeyId } = await sealOwn("reg_1", "client-secret", "s3cret", deps);
    await env.DB.prepare(
      `INSERT INTO client_registrations (id, issuer, redirect_uri, client_id, method, data_key_id, sealed, created_at)
       VALUES ('reg_1', 'i', 'r', 'c', 'none', ?1, ?2, 0)`,
    )
      .bind(dataKeyId, sealed)
      .run();
    const workspace = (await dataKeys())[1]?.owner ?? "";
    await env.DB.prepare(
      "INSERT INTO users (id, workspace_id, issuer, subject, created_at) VALUES (?1, ?2, 'i', ?1, 0)",
    )
      .bind(`usr_${workspace}`, workspace)
      .run();
    await stores.flows.insert({
      state_hash: "h",
      user_id: `usr_${workspace}`,
      workspace_id: workspace,
      data_key_id: dataKeyId,
      sealed: "x",
      return_to: "r",
    });
    await settle(up);
    await finish(up);
    expect(
      (await dataKeys()).filter((key) => key.id === dataKeyId),
      "the flow needs it",
    ).toHaveLength(1);
    await env.DB.prepare("UPDATE flows SET expires_at = 0").run();
    await stores.flows.deleteExpired();
    await up.both.rotate();
    await up.both.rotate();
    expect((await dataKeys()).filter((key) => key.id === dataKeyId)).toEqual([]);
    const [row = { sealed: "", data_key_id: "" }] = await all<{ sealed: string; data_key_id: string }>(
      "SELECT sealed, data_key_id FROM client_registrations",
    );
    const after = { ...deps, keyring: up.after.keyring };
    expect(await openOwn("reg_1", "client-secret", row, after)).toBe("s3cret");
    await expect(
      openOwn("reg_1", "client-secret", row, { ...deps, keyring: up.before.keyring }),
      "T9",
    ).rejects.toMatchObject({ code: "unknown_key" });
    const own = await newestKey("deployment", up.after.keyring, "test", stores.dataKeys, systemRandom);
    expect(toHex(own.kid)).toBe(row.data_key_id);
    expect((await state())?.finished_at).not.toBeNull();
  });

  it("includes what is suspended, waits or was given up; what is leased comes later; what is empty is let go", async () => {
    const up = await setUp(1, 8);
    const [live, suspended, waits, reauth, leased, ended, revoking, lost] = up.connections;
    await settle(up);
    const far = Date.now() + 3_600_000;
    await set(suspended, "status = 'suspended'");
    await set(waits, "state = 'sent', sent_at = 1, lease_until = 1");
    await set(reauth, "state = 'reauth', reauth_since = 1");
    await set(leased, `state = 'leased', fence = 1, lease_until = ${far}`);
    await set(ended, "status = 'disconnected', disconnected_at = 1, revocation = 'revoked', blob = NULL");
    await set(revoking, "status = 'disconnected', disconnected_at = 1, revocation = 'pending'");
    await set(lost, "blob = NULL, blob_fence = 77");
    await up.both.rotate();
    const rows = await all<{
      id: string;
      state: string;
      status: string;
      gen: number;
      data_key_id: string | null;
    }>("SELECT id, state, status, gen, sent_at, data_key_id FROM connections");
    const row = (id: string | undefined) => rows.find((one) => one.id === id);
    expect(row(live)).toMatchObject({ gen: 2, state: "live" });
    expect(row(suspended)).toMatchObject({ gen: 2, status: "suspended" });
    expect(row(waits), "what came of its request is as unknown as before").toMatchObject({
      gen: 2,
      state: "sent",
      sent_at: 1,
    });
    expect(row(reauth)).toMatchObject({ gen: 2, state: "reauth" });
    expect(row(leased)).toMatchObject({ gen: 1, state: "leased" });
    expect(row(ended)).toMatchObject({ gen: 1, data_key_id: null });
    expect(row(revoking)).toMatchObject({ gen: 2, status: "disconnected" });
    expect(row(lost), "KV may show it later").toMatchObject({ gen: 1 });
    for (const id of [live, suspended, waits, reauth, revoking]) {
      expect(await up.after.open(id ?? "")).toContain("secret");
    }
    await set(leased, "lease_until = 1");
    await set(lost, "blob_fence = 0");
    await finish(up);
    expect((await state())?.finished_at).not.toBeNull();
    for (const id of [leased, lost]) expect(await up.after.open(id ?? "")).toContain("secret");
  });
});
