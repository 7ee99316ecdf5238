import { env } from "cloudflare:workers";
import { mintConnection } from "../../src/connect/mint.ts";
import { bindingOf, storedKey } from "../../src/grants/grant-key.ts";
import { openGrant, type Grant } from "../../src/grants/grant.ts";
import { checkFingerprints } from "../../src/jobs/check-fingerprints.ts";
import { rotate, type RotateDeps } from "../../src/jobs/rotate.ts";
import { toHex } from "../../src/lib/bytes.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { LogEvent } from "../../src/lib/log.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { createStores, type Stores } from "../../src/store/index.ts";
import { requestStatements } from "../../src/store/rotation-queries.ts";
import { parseKeyring, type Keyring } from "../../src/vault/keyring.ts";
import { faultyStores, type FaultyStores } from "./refresh/faulty.ts";

export const stores = createStores(env.DB, env.BLOBS);

export interface MadeKey {
  readonly hex: string;
  readonly fingerprint: string;
}

export async function makeKey(): Promise<MadeKey> {
  const hex = toHex(systemRandom(32));
  const keyring = await parseKeyring({ keys: JSON.stringify([{ key: hex }]) });
  return { hex, fingerprint: keyring?.active.fingerprint ?? "" };
}

/** A keyring of these keys, the last one active. */
export async function keyringOf(...keys: readonly MadeKey[]): Promise<Keyring> {
  const keyring = await parseKeyring({ keys: JSON.stringify(keys.map(({ hex }) => ({ key: hex }))) });
  if (keyring === undefined) throw new Error("no keyring");
  return keyring;
}

/** A deployment with its own master keys over the one D1 and KV. `stores` may fail. */
export interface Worker {
  readonly keyring: Keyring;
  readonly events: LogEvent[];
  report(): Promise<number>;
  rotate(): Promise<number>;
  connect(workspaceId: string, grant?: Grant): Promise<string>;
  /** The secret of a connection, as this deployment opens it; throws where it cannot. */
  open(id: string): Promise<string>;
}

export function createWorker(keyring: Keyring, own: Stores = stores): Worker {
  const events: LogEvent[] = [];
  const log = (event: LogEvent): void => void events.push(event);
  const deps: RotateDeps = {
    stores: own,
    keyring,
    environment: "test",
    random: systemRandom,
    clock: systemClock,
    backgroundBudget: 6,
    log,
  };
  return {
    keyring,
    events,
    report: async () => await checkFingerprints({ stores: own, keyring, log }),
    rotate: async () => await rotate(deps),
    async connect(workspaceId, grant = keyGrant(`secret of ${workspaceId}`)) {
      const copies: Promise<unknown>[] = [];
      const defer = (_: string, work: Promise<unknown>): void => void copies.push(work);
      const { connection } = await mintConnection(
        {
          owner: { workspace_id: workspaceId, actor: "owner" },
          service: "custom",
          label: "x",
          kind: grant.kind,
          storage: "managed",
          grant,
        },
        { stores: own, keyring, environment: "test", random: systemRandom, defer },
      );
      await Promise.all(copies);
      return connection.id;
    },
    async open(id) {
      const state = await stores.grants.read(id);
      if (state === null) throw new Error("no such connection");
      const key = await storedKey(state, { keyring, environment: "test", stores });
      const name = { connectionId: state.id, generation: state.gen, fence: state.blob_fence };
      const sealed =
        state.blob ?? (await env.BLOBS.get(`t/${name.connectionId}/${name.generation}/${name.fence}`));
      return (await openGrant(sealed ?? "", key, bindingOf(state), "test")).secret;
    },
  };
}

function keyGrant(secret: string): Grant {
  return {
    v: 1,
    kind: "key",
    url: "https://mcp.example/mcp",
    transport: "http",
    header: { name: "Authorization", prefix: "Bearer" },
    secret,
    extra_headers: {},
  };
}

/** A deployment that dies at the given call of the store (counted from 1), before or after it is executed. */
export function mortal(at: number, when: "before" | "after"): FaultyStores<Stores> & { calls(): number } {
  let calls = 0;
  const faulty: FaultyStores<Stores> = faultyStores(stores, {}, async () => {
    calls += 1;
    if (calls < at) return;
    if (calls === at && when === "after") {
      // The call is executed; its answer reaches nobody.
      setTimeout(() => faulty.kill(), 0);
      return;
    }
    faulty.kill();
  });
  return { ...faulty, calls: () => calls };
}

export async function makeWorkspace(): Promise<string> {
  const id = `wsp_${crypto.randomUUID()}`;
  await env.DB.prepare("INSERT INTO workspaces (id, created_at) VALUES (?1, 0)").bind(id).run();
  return id;
}

/** Runs statements as the operator's script does: one after the other. */
export async function execute(statements: string): Promise<void> {
  for (const sql of statements.split(/;\s*(?:\n|$)/)) {
    if (sql.trim() !== "") await env.DB.prepare(sql).run();
  }
}

/** Asks for a rotation. */
export async function request(fingerprint: string, reencrypt = false): Promise<void> {
  await execute(requestStatements(fingerprint, reencrypt));
}

/** Lets time pass for what rotations wait for. */
export async function pass(ms: number): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("UPDATE loaded_keys SET last_at = last_at - ?1, first_at = first_at - ?1").bind(ms),
    env.DB.prepare("UPDATE rotations SET requested_at = requested_at - ?1").bind(ms),
    env.DB.prepare("UPDATE data_keys SET created_at = created_at - ?1").bind(ms),
  ]);
}

export async function all<T>(sql: string, ...values: readonly (string | number)[]): Promise<readonly T[]> {
  return (
    await env.DB.prepare(sql)
      .bind(...values)
      .all<T>()
  ).results;
}

/** Everything, as before the first test. */
export async function wipe(): Promise<void> {
  for (const table of [
    "audit_queue",
    "mail_queue",
    "client_registrations",
    "flows",
    "connections",
    "data_key_wrappings",
    "data_keys",
    "rotations",
    "loaded_keys",
    "orphaned_keys",
    "superseded_blobs",
  ])
    await env.DB.prepare(`DELETE FROM ${table}`).run();
}
