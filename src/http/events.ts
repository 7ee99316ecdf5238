import { Hono } from "hono";
import { chainHash } from "../lib/audit-chain.ts";
import { utf8 } from "../lib/bytes.ts";
import type { AuditRead, AuditRow, ChainPlace } from "../store/audit-read.ts";
import type { AppEnv, Runtime } from "./context.ts";
import { check } from "./json-body.ts";
import { plainHeaders } from "./problem.ts";
import { eventsQuery, exportQuery, verifyQuery } from "./schemas/events.ts";
import { requireUser } from "./session.ts";

/** Events of one query, and queries of one call: 20,000 events fit the platform's limits on time and on queries. */
const pageSize = 1000;
const pages = 20;
/** Events that are chained before the log is shown, at most; the minute job chains the rest. */
const chainedFirst = 200;

const hashRule =
  'SHA-256, base64url, of the JSON array ["bindify/audit/v1", hash before, workspace_id, seq, at, type, actor, ' +
  "connection_id, service, detail]";

/** The audit log of the caller's workspace. */
export const events = new Hono<AppEnv>()
  .get("/", async (c) => {
    const { workspace_id: workspaceId } = await requireUser(c, "read");
    const query = check(eventsQuery, c.req.query());
    const { stores } = c.env.runtime;
    await stores.audit.chain(workspaceId, chainedFirst);
    const filter = {
      type: query.type ?? null,
      connection: query.connection ?? null,
      from: query.from === undefined ? 0 : Date.parse(query.from),
      to: query.to === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(query.to),
    };
    const [at, seq] = query.cursor?.split(".").map(Number) ?? [];
    const cursor = at === undefined || seq === undefined ? null : { at, seq };
    const page = await stores.auditRead.list(workspaceId, filter, cursor, query.limit);
    return c.json({ events: page.items.map(viewEvent), next_cursor: page.nextCursor });
  })
  .get("/export", async (c) => {
    const { workspace_id: workspaceId } = await requireUser(c, "read");
    const { after } = check(exportQuery, c.req.query());
    const { runtime } = c.env;
    await runtime.stores.audit.chain(workspaceId, chainedFirst);
    return new Response(await exported(workspaceId, after, runtime), {
      headers: {
        ...plainHeaders,
        "content-type": "application/x-ndjson",
        "content-disposition": `attachment; filename="audit-log-from-${after}.ndjson"`,
      },
    });
  })
  .get("/verify", async (c) => {
    const { workspace_id: workspaceId } = await requireUser(c, "read");
    const query = check(verifyQuery, c.req.query());
    const { audit, auditRead } = c.env.runtime.stores;
    await audit.chain(workspaceId, chainedFirst);
    return c.json(await verify(workspaceId, readPlace(query.cursor), readPlace(query.expect), auditRead));
  });

function viewEvent({ at, detail, ...event }: AuditRow) {
  const parsed: unknown = JSON.parse(detail);
  return { ...event, at: new Date(at).toISOString(), detail: parsed };
}

function readPlace(text: string | undefined): ChainPlace | undefined {
  if (text === undefined) return undefined;
  const at = text.indexOf(".");
  return { seq: Number(text.slice(0, at)), hash: text.slice(at + 1) };
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Lines as they are needed: one page of events is in memory at a time. */
async function exported(
  workspaceId: string,
  after: number,
  { stores, clock }: Pick<Runtime, "stores" | "clock">,
): Promise<ReadableStream<Uint8Array>> {
  // Before the answer begins: a storage that fails is then a problem document, not half a file.
  let next = await stores.auditRead.follow(workspaceId, after, pageSize);
  const exportedAt = new Date(clock()).toISOString();
  const { head } = next;
  let { checkpoint } = next;
  const opening = {
    workspace_id: workspaceId,
    exported_at: exportedAt,
    after,
    checkpoint,
    head,
    hash: hashRule,
  };
  let done = 0;
  let read = 1;
  let last = after;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (read > 1) next = await stores.auditRead.follow(workspaceId, last, pageSize);
      const header = read === 1 ? line({ kind: "header", ...opening }) : "";
      // Events went meanwhile, with their right: what follows begins behind another checkpoint.
      const moved = next.checkpoint.seq > Math.max(last, checkpoint.seq);
      checkpoint = next.checkpoint;
      const opened = header + (moved ? line({ kind: "checkpoint", ...checkpoint }) : "");
      const body = next.events.map((event) => line({ kind: "event", ...event })).join("");
      done += next.events.length;
      last = next.events.at(-1)?.seq ?? last;
      const complete = next.events.length < pageSize;
      const ended = complete || read >= pages;
      const closing = ended ? line({ kind: "footer", events: done, next_after: complete ? null : last }) : "";
      controller.enqueue(utf8(opened + body + closing));
      read += 1;
      if (ended) controller.close();
    },
  });
}

/** Follows the chain from `cursor`, or from its stored beginning, and names the first event that does not fit. */
async function verify(
  workspaceId: string,
  cursor: ChainPlace | undefined,
  expected: ChainPlace | undefined,
  auditRead: AuditRead,
) {
  let read = await auditRead.follow(workspaceId, cursor?.seq ?? 0, pageSize);
  const { checkpoint, head } = read;
  // What lies behind the checkpoint has gone meanwhile, with its right: from there on it is followed again.
  let place = cursor === undefined || cursor.seq < checkpoint.seq ? checkpoint : cursor;
  let checked = 0;
  let known: "matched" | "behind_checkpoint" | undefined;
  const answer = (brokenAt: number | null, next: ChainPlace | null) => ({
    ok: brokenAt === null,
    checked,
    ...(known === undefined ? {} : { expect: known }),
    ...(brokenAt === null ? {} : { first_broken: brokenAt }),
    head,
    checkpoint,
    next_cursor: next === null ? null : `${next.seq}.${next.hash}`,
  });
  if (expected !== undefined) {
    // Nobody can say any more what stood behind the checkpoint. That is no confirmation, so it is said.
    known = expected.seq < checkpoint.seq ? "behind_checkpoint" : "matched";
    const stored =
      expected.seq === checkpoint.seq ? checkpoint.hash : await auditRead.hashAt(workspaceId, expected.seq);
    if (known === "matched" && stored !== expected.hash) {
      known = undefined;
      return answer(expected.seq, null);
    }
  }
  // What was followed before ended here, and the log ends earlier: its end was cut off in between.
  if (place.seq > head.seq) return answer(head.seq + 1, null);
  if (place.seq === head.seq && place.hash !== head.hash) return answer(head.seq, null);
  for (let page = 1; ; page += 1) {
    // Pruned since the page before: a gap that is right.
    if (read.checkpoint.seq > place.seq) place = read.checkpoint;
    for (const event of read.events) {
      if (event.seq <= place.seq) continue;
      // A gap: the event that is missing is the first that is broken.
      if (event.seq !== place.seq + 1) return answer(place.seq + 1, null);
      const hash = await chainHash(place.hash, { ...event, workspace_id: workspaceId });
      if (hash !== event.hash) return answer(event.seq, null);
      place = { seq: event.seq, hash };
      checked += 1;
    }
    if (read.events.length < pageSize) return answer(null, null);
    if (page >= pages) return answer(null, place);
    read = await auditRead.follow(workspaceId, place.seq, pageSize);
  }
}
