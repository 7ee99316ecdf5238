// The refresh job over real sealed grants, its provider answering at once. POST /seed?total=&due= makes managed
// connections, of which some are due; POST /run works off what is due and answers what that asked of D1.
import { mintConnection } from "../../../src/connect/mint.ts";
import { refreshDue } from "../../../src/jobs/refresh-due.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { Outbound } from "../../../src/lib/outbound.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { createOauthHttp } from "../../../src/oauth/http.ts";
import { createCatalogue } from "../../../src/services/index.ts";
import { createStores } from "../../../src/store/index.ts";
import { parseKeyring } from "../../../src/vault/keyring.ts";
import { tapDatabase } from "./tap.ts";

interface Env {
  readonly DB: D1Database;
  readonly BLOBS: KVNamespace;
  readonly MANAGED_ENCRYPTION_KEYS: string;
}

/** Connections that one run works on: what the paid plan's queries allow. */
const budget = 100;
const workspaceId = "wsp_bench";

const outbound: Outbound = () =>
  Promise.resolve(
    Response.json({
      access_token: crypto.randomUUID(),
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: "r",
    }),
  );

const mint = async (env: Env, at: number): Promise<void> => {
  const now = Date.now();
  const grant = {
    v: 1,
    kind: "oauth",
    url: "https://mcp.example/mcp",
    transport: "http",
    header: { name: "Authorization", prefix: "Bearer" },
    secret: "a",
    extra_headers: {},
    source: {
      issuer: `https://as-${at % 10}.example`,
      token_endpoint: "https://as.example/token",
      client: { id: "client", method: "none" },
    },
    refresh_token: "r",
    scope: null,
    issued_at: now - 3_600_000,
    expires_at: now - 1000,
  } as const;
  await mintConnection(
    {
      owner: { workspace_id: workspaceId, actor: "owner" },
      service: "custom",
      label: "x",
      kind: "oauth",
      storage: "managed",
      grant,
    },
    {
      stores: createStores(env.DB, env.BLOBS),
      keyring: await parseKeyring({ keys: env.MANAGED_ENCRYPTION_KEYS }),
      environment: "test",
      random: systemRandom,
      // The row carries the blob: nothing here reads KV.
      defer: () => undefined,
    },
  );
};

async function seed(env: Env, total: number, due: number): Promise<void> {
  await env.DB.prepare("INSERT INTO workspaces (id, created_at) VALUES (?1, 0)").bind(workspaceId).run();
  for (let at = 0; at < due; at += 1) await mint(env, at);
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
     INSERT INTO connections (id, workspace_id, service, label, kind, storage, upstream_url, status, lookup, verifier,
       data_key_id, issuer, access_expires_at, refreshable, due_at, created_at, authorized_at)
     SELECT 'con_' || printf('%032x', i), ?2, 'custom', 'x', 'oauth', 'managed', 'https://mcp.example', 'active',
       printf('%043x', i), 'x', (SELECT id FROM data_keys WHERE owner = ?2), 'https://as.example', 1, 1,
       unixepoch() * 1000 + 3600000 + i, 0, 0 FROM n`,
  )
    .bind(total - due, workspaceId)
    .run();
}

async function run(env: Env, context: ExecutionContext): Promise<object> {
  const counts = { renewed: 0, runs: 0, statements: 0, rowsRead: 0, rowsWritten: 0 };
  const db = tapDatabase(env.DB, async ({ statements }, execute) => {
    counts.statements += statements;
    const result = await execute();
    for (const one of Array.isArray(result) ? result : [result]) {
      counts.rowsRead += one.meta.rows_read;
      counts.rowsWritten += one.meta.rows_written;
    }
    return result;
  });
  const keyring = await parseKeyring({ keys: env.MANAGED_ENCRYPTION_KEYS });
  for (;;) {
    const done = await refreshDue({
      stores: createStores(db, env.BLOBS),
      keyring,
      environment: "test",
      random: systemRandom,
      clock: systemClock,
      outbound,
      oauth: createOauthHttp(outbound),
      catalogue: createCatalogue({ paused: [], preRegistered: new Set() }),
      site: { brand: "Bindify" },
      backgroundBudget: budget,
      log: () => undefined,
      defer: (_, work) => context.waitUntil(work),
    });
    if (done === 0) return counts;
    counts.runs += 1;
    counts.renewed += done;
  }
}

export default {
  async fetch(request, env, context): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/run") return Response.json(await run(env, context));
    await seed(env, Number(url.searchParams.get("total")), Number(url.searchParams.get("due")));
    return new Response(null, { status: 204 });
  },
} satisfies ExportedHandler<Env>;
