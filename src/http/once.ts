import { toBase64Url, utf8 } from "../lib/bytes.ts";
import { minute } from "../lib/clock.ts";
import { Fault } from "../lib/fault.ts";
import { errorKind } from "../lib/log.ts";
import type { EarlierRequest } from "../store/idempotency.ts";
import type { AppContext } from "./context.ts";
import { plainHeaders } from "./problem.ts";
import type { Session } from "./session.ts";

/** What a request created. */
export interface Created {
  readonly body: object;
  /** `con_…`, `tok_…`. */
  readonly id: string;
  /** The body holds something that is shown once: it is not kept. */
  readonly secret: boolean;
}

/** A request takes no longer; after that its process is gone, and what it did is not known. */
const longest = 2 * minute;

/**
 * Runs a request that creates something; with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) at most
 * once. A repeat of a request that failed runs again: it left nothing.
 */
export async function once(
  c: AppContext,
  session: Session,
  body: Uint8Array<ArrayBuffer>,
  run: () => Promise<Created>,
): Promise<Response> {
  const key = readKey(c.req.header("idempotency-key"));
  if (key === undefined) return c.json((await run()).body, 201);
  const { log, stores } = c.env.runtime;
  const { idempotency } = stores;
  /** What fails here leaves the key unfinished, which is safe; the answer is worth more than the note of it. */
  const noted = async (note: Promise<void>): Promise<void> => {
    try {
      await note;
    } catch (error) {
      log({ event: "deferred_failed", task: "note_request", error: errorKind(error) });
    }
  };
  const keyHash = await sha256(utf8(`bindify/idempotency/v1${key}`));
  // With the key in front a body that can be guessed is not known by its hash.
  const line = utf8(`${key}\n${c.req.method} ${c.req.path}\n`);
  const whole = new Uint8Array(line.length + body.length);
  whole.set(line);
  whole.set(body, line.length);
  const requestHash = await sha256(whole);

  const earlier = await idempotency.begin(session.id, keyHash, requestHash);
  if (earlier !== null) return repeat(earlier, requestHash);
  let created: Created;
  try {
    created = await run();
  } catch (error) {
    // A Fault says that nothing was created. Of any other failure nobody knows, so the key stays used.
    if (error instanceof Fault) await noted(idempotency.forget(session.id, keyHash));
    throw error;
  }
  const answer = created.secret ? null : JSON.stringify(created.body);
  // Without it a repeat is told that the outcome is not known; a secret that is not answered now is gone for ever.
  await noted(idempotency.finish(session.id, keyHash, { createdId: created.id, status: 201, answer }));
  return c.json(created.body, 201);
}

function repeat(earlier: EarlierRequest, requestHash: string): Response {
  if (earlier.request_hash !== requestHash) throw new Fault("idempotency_mismatch");
  if (earlier.finished_at === null) {
    if (earlier.now - earlier.created_at > longest) throw new Fault("outcome_unknown");
    throw new Fault("request_in_flight", { retryAfter: 2 });
  }
  if (earlier.answer === null) {
    throw new Fault("credential_already_answered", { params: { created: earlier.created_id ?? "" } });
  }
  return new Response(earlier.answer, {
    status: earlier.status ?? 201,
    headers: { ...plainHeaders, "content-type": "application/json", "idempotent-replayed": "true" },
  });
}

/** A string of RFC 8941 §3.3.3 as the draft says, or the bare text that most clients send. */
function readKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key =
    /^"([\x20-\x7e]{1,255})"$/.exec(header.trim())?.[1] ?? /^[\x21-\x7e]{1,255}$/.exec(header.trim())?.[0];
  if (key !== undefined) return key;
  const message = "must be 1 to 255 visible ASCII characters.";
  throw new Fault("invalid_request", { errors: [{ path: "Idempotency-Key", message }] });
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
