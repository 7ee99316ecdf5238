import { env } from "cloudflare:workers";
import { mintConnection } from "../../../src/connect/mint.ts";
import { openGrant, type Grant } from "../../../src/grants/grant.ts";
import { bindingOf, storedKey, userHeldKey } from "../../../src/grants/grant-key.ts";
import type { Held, RefreshDeps, Refreshed } from "../../../src/grants/held.ts";
import { refreshOnce } from "../../../src/grants/refresh.ts";
import { systemClock, type Clock } from "../../../src/lib/clock.ts";
import type { LogEvent } from "../../../src/lib/log.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { createOauthHttp } from "../../../src/oauth/http.ts";
import { createCatalogue } from "../../../src/services/index.ts";
import type { StorageMode } from "../../../src/store/connection.ts";
import type { GrantState } from "../../../src/store/grant-row.ts";
import { createStores, type Stores } from "../../../src/store/index.ts";
import type { Caller } from "../../../src/connect/caller.ts";
import type { Credential } from "../../../src/vault/credential.ts";
import { importKeyMaterial } from "../../../src/vault/derive.ts";
import { parseKeyring, type Keyring } from "../../../src/vault/keyring.ts";
import { faultyStores, type FaultPlan, type FaultyStores, type Turn } from "./faulty.ts";
import { createProvider, type ModelProvider, type ProviderOptions } from "./provider.ts";

export const stores = createStores(env.DB, env.BLOBS);
export const catalogue = createCatalogue({ paused: [], preRegistered: new Set() });
const revocationEndpoint = "https://as.example/revoke";

/** A process of its own: what it does can fail or end anywhere. */
export interface Actor extends FaultyStores<Stores> {
  readonly deps: RefreshDeps & { readonly stores: Stores; readonly keyring: Keyring | undefined };
  readonly events: LogEvent[];
  refresh(held?: Held): Promise<Refreshed | "killed">;
  /** Waits for what was deferred. */
  settle(): Promise<void>;
}

export interface World {
  readonly id: string;
  readonly user: Caller;
  readonly credential: Credential;
  readonly provider: ModelProvider;
  actor(plan?: FaultPlan, clock?: Clock, turn?: Turn): Actor;
  row(): Promise<GrantState>;
  /** The present grant, as whoever has the credential opens it. */
  present(credential?: Credential): Promise<Held & { grant: Extract<Grant, { kind: "oauth" }> }>;
  /** Lets time pass: in the row as the database sees it, and at the provider. */
  age(ms: number): Promise<void>;
  /** Changes the row as somebody with access to the database would. */
  set(assignment: string): Promise<void>;
  keys(prefix: "t" | "j"): Promise<readonly string[]>;
}

export interface WorldOptions extends ProviderOptions {
  readonly service?: string;
  readonly storage?: StorageMode;
}

/** A connection with an OAuth grant in the real D1 and KV, at a provider of its own. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const provider = createProvider(options);
  const keyring = await parseKeyring({ keys: env.MANAGED_ENCRYPTION_KEYS });
  const workspaceId = `wsp_${crypto.randomUUID()}`;
  await env.DB.prepare("INSERT INTO workspaces (id, created_at) VALUES (?1, 0)").bind(workspaceId).run();
  const copies: Promise<unknown>[] = [];
  const defer = (_: string, work: Promise<unknown>): void => void copies.push(work);
  const { refresh_token, access_token } = provider.first();
  const now = Date.now();
  const grant = {
    v: 1,
    kind: "oauth",
    url: "https://mcp.example/mcp",
    transport: "http",
    header: { name: "Authorization", prefix: "Bearer" },
    secret: access_token,
    extra_headers: {},
    source: {
      issuer: "https://as.example",
      token_endpoint: "https://as.example/token",
      revocation_endpoint: revocationEndpoint,
      client: { id: "client", method: "none" },
      resource: "https://mcp.example/mcp",
    },
    refresh_token,
    scope: "read",
    issued_at: now - 3_600_000,
    expires_at: now - 1000,
  } as const;
  const owner = { workspace_id: workspaceId, actor: "owner" } as const;
  const wanted = { owner, service: options.service ?? "custom", label: "Test", kind: "oauth" } as const;
  const { connection, credential } = await mintConnection(
    { ...wanted, storage: options.storage ?? "zero_knowledge", grant },
    { stores, keyring, environment: "test", random: systemRandom, defer },
  );
  await Promise.all(copies);

  const row: World["row"] = async () => {
    const state = await stores.grants.read(connection.id);
    if (state === null) throw new Error("the connection is gone");
    return state;
  };
  const present: World["present"] = async (own = credential) => {
    const state = await row();
    const managed = state.storage === "managed";
    const key = managed
      ? await storedKey(state, { keyring, environment: "test", stores })
      : userHeldKey(await importKeyMaterial(own.key));
    const name = { connectionId: state.id, generation: state.gen, fence: state.blob_fence };
    const sealed = state.blob ?? (await stores.blobs.get(name)) ?? "";
    const opened = await openGrant(sealed, key, bindingOf(state), "test");
    if (opened.kind !== "oauth") throw new Error("not an OAuth grant");
    return { key, binding: bindingOf(state), grant: opened };
  };

  return {
    id: connection.id,
    user: { id: `usr_${workspaceId}`, email: null, ...owner },
    credential,
    provider,
    row,
    present,
    actor: (plan = {}, clock = systemClock, turn) =>
      createActor({ plan, clock, turn, provider, keyring, present }),
    async age(ms) {
      provider.age(ms);
      await env.DB.prepare(
        `UPDATE connections SET lease_until = lease_until - ?2, sent_at = CASE sent_at WHEN 0 THEN 0 ELSE sent_at - ?2 END,
           retry_at = MAX(retry_at - ?2, 0), access_expires_at = access_expires_at - ?2, due_at = due_at - ?2 WHERE id = ?1`,
      )
        .bind(connection.id, ms)
        .run();
    },
    async set(assignment) {
      await env.DB.prepare(`UPDATE connections SET ${assignment} WHERE id = ?1`).bind(connection.id).run();
    },
    async keys(prefix) {
      const { keys } = await env.BLOBS.list({ prefix: `${prefix}/${connection.id}/` });
      return keys.map(({ name }) => name.slice(`${prefix}/${connection.id}/`.length));
    },
  };
}

interface ActorParts {
  readonly plan: FaultPlan;
  readonly clock: Clock;
  readonly turn: Turn | undefined;
  readonly provider: ModelProvider;
  readonly keyring: Keyring | undefined;
  readonly present: World["present"];
}

function createActor({ plan, clock, turn, provider, keyring, present }: ActorParts): Actor {
  const faulty = faultyStores(stores, plan, turn);
  const events: LogEvent[] = [];
  const deferred: Promise<unknown>[] = [];
  const outbound: ModelProvider["outbound"] = async (url, request) => {
    if (turn !== undefined) await turn("provider");
    if (faulty.dead()) return await new Promise<never>(() => undefined);
    const answer = await provider.outbound(url, request);
    return faulty.dead() ? await new Promise<never>(() => undefined) : answer;
  };
  const deps = {
    stores: faulty.stores,
    keyring,
    clock,
    catalogue,
    environment: "test",
    random: systemRandom,
    oauth: createOauthHttp(outbound),
    log: (event: LogEvent) => void events.push(event),
    defer: (_: string, work: Promise<unknown>) => void deferred.push(Promise.allSettled([work])),
  } as const;
  return {
    ...faulty,
    deps,
    events,
    refresh: async (held) => {
      const refreshed = await Promise.race([refreshOnce(held ?? (await present()), deps), faulty.killed]);
      // Who died in a call that took longer than its time was not there any more to say so.
      return faulty.dead() ? await faulty.killed : refreshed;
    },
    async settle() {
      while (deferred.length > 0) await Promise.race([Promise.all(deferred.splice(0)), faulty.killed]);
    },
  };
}

/** An isolate's clock on which each look takes two seconds: budgets of time are used up at once. */
export function hurried(): Clock {
  let now = Date.now();
  return () => (now += 2000);
}
