// Bindify as `npm start` runs it, in small: a local identity, the migrations, one key connection made through the
// JSON API.
import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare, V4WorkerOptions } from "miniflare";
import { z } from "zod";
import { signLocalToken } from "../lib/local-token.ts";
import { applyMigrations } from "../lib/migrations.ts";
import { ensureSecrets, publicIdentityKey } from "../lib/secrets.ts";

/** What a worker is given. */
export type Bindings = Pick<V4WorkerOptions, "bindings" | "d1Databases" | "kvNamespaces" | "ratelimits">;

const unlimited = (id: string) => ({
  namespace_id: id,
  simple: { limit: 1_000_000_000, period: 60 as const },
});

/** The bindings of a worker at `origin`; its identity key is kept in `folder`. Rate limits are never met. */
export async function bindifyBindings(folder: string, origin: string): Promise<Bindings> {
  return {
    bindings: {
      PUBLIC_URL: origin,
      SECRET_ENV: "test",
      LOCAL_IDENTITY_KEY: publicIdentityKey(await ensureSecrets(folder)),
    },
    d1Databases: ["DB"],
    kvNamespaces: ["BLOBS"],
    ratelimits: {
      CONNECTION_LIMIT: unlimited("1"),
      MISS_LIMIT: unlimited("2"),
      USER_LIMIT: unlimited("3"),
    },
  };
}

const created = z.object({ credential: z.object({ api_key: z.string(), mcp_url: z.url() }) });

/** Applies the migrations and connects the upstream. */
export async function connect(options: {
  readonly miniflare: Miniflare;
  readonly folder: string;
  readonly origin: string;
  readonly upstream: { readonly url: string; readonly key: string };
}): Promise<{ url: string; apiKey: string }> {
  const { miniflare, folder, origin, upstream } = options;
  await applyMigrations(await miniflare.getD1Database("DB"));
  const answer = await fetch(new URL("/api/connections", origin), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await signLocalToken({ url: origin, folder })}`,
    },
    body: JSON.stringify({ service: "custom", url: upstream.url, fields: { api_key: upstream.key } }),
  });
  const text = await answer.text();
  if (answer.status !== 201) throw new Error(`no connection could be made: ${answer.status} ${text}`);
  const { credential } = created.parse(JSON.parse(text));
  await settle(miniflare);
  return { url: credential.mcp_url, apiKey: credential.api_key };
}

/**
 * A connection carries its sealed blob in its row for the first minutes and in KV from then on. The second state
 * is the lasting one, and it is brought about here as the minute job does it.
 */
async function settle(miniflare: Miniflare): Promise<void> {
  const kv = await miniflare.getKVNamespace("BLOBS");
  for (let tries = 0; tries < 50; tries += 1) {
    const { keys } = await kv.list({ prefix: "t/" });
    if (keys.length > 0) {
      const db = await miniflare.getD1Database("DB");
      await db.prepare("UPDATE connections SET blob = NULL").run();
      return;
    }
    await sleep(100);
  }
  throw new Error("the sealed blob did not appear in KV within 5 s");
}
