import { Fault } from "../lib/fault.ts";

/** The platform's own limit on common plans; what is larger is refused here with a sentence. */
const bodyLimit = 100 * 1024 * 1024;
/** Bodies up to this size are kept while they are forwarded: for one retry, and to answer with the request's id. */
const keptLimit = 64 * 1024;

export interface RequestBody {
  /** What goes to the service. */
  readonly forwarded: ReadableStream | Uint8Array<ArrayBuffer> | null;
  /** The same bytes, where they were few enough to keep. */
  readonly kept: Uint8Array<ArrayBuffer> | undefined;
  /** Fires when a body of undeclared length passes the limit. */
  readonly exceeded: AbortSignal | undefined;
}

/** Takes the body of a request that will be forwarded: small ones as bytes, the rest as the untouched stream. */
export async function takeBody(request: Request): Promise<RequestBody> {
  if (request.method === "GET") return { forwarded: null, kept: undefined, exceeded: undefined };
  const size = Number(request.headers.get("content-length") ?? Number.NaN);
  if (size <= keptLimit) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return { forwarded: bytes, kept: bytes, exceeded: undefined };
  }
  if (request.body === null) return { forwarded: null, kept: undefined, exceeded: undefined };
  if (Number.isNaN(size)) return countedBody(request.body);
  if (size > bodyLimit) throw new Fault("payload_too_large", { params: { limit: "100 MiB" } });
  return { forwarded: request.body, kept: undefined, exceeded: undefined };
}

/**
 * A body without a declared length is counted as it passes. Past the limit nothing more passes and `exceeded` fires,
 * for the request to be aborted: an error of the stream would reach the service as a proper end of a shorter body.
 */
function countedBody(body: ReadableStream<Uint8Array>): RequestBody {
  let passed = 0;
  const over = new AbortController();
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      passed += chunk.byteLength;
      if (passed > bodyLimit) over.abort();
      else controller.enqueue(chunk);
    },
  });
  return { forwarded: body.pipeThrough(count), kept: undefined, exceeded: over.signal };
}
