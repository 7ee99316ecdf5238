import { concat, fromBase64Url, fromUtf8, toBase64Url, utf8 } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import type { Random } from "../lib/random.ts";
import { contextOf } from "../grants/grant.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import { deriveSealingKey, type SealingKey } from "../vault/derive.ts";
import { open, seal, VaultError, type EnvelopeContext } from "../vault/envelope.ts";
import type { Admitted } from "./admit.ts";

/** The first event must come within this many bytes. */
const firstEventLimit = 8 * 1024;
const blankLine = /\r\n\r\n|\n\n|\r\r/;

export interface FirstEvent {
  /** Absolute URL that the service wants messages posted to. */
  readonly endpoint: string;
  /** Comments that came before it, and what followed it in the same chunk: passed on as they are. */
  readonly before: Uint8Array<ArrayBuffer>;
  readonly after: Uint8Array<ArrayBuffer>;
}

/**
 * Reads the `endpoint` event that opens an HTTP+SSE stream (MCP 2024-11-05, Transports). The address in it decides
 * where the secret is posted next, so an origin other than the sealed one is refused.
 */
export async function readEndpointEvent(
  source: ReadableStreamDefaultReader<Uint8Array>,
  sealedUrl: string,
): Promise<FirstEvent> {
  let bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  for (;;) {
    const { done, value } = await source.read();
    if (done) throw new Fault("upstream_protocol");
    bytes = concat(bytes, value);
    const found = firstEventIn(bytes);
    if (found !== undefined) {
      // What is no UTF-8 is replaced, as clients do (WHATWG HTML §9.2.6): a service must not be able to crash us.
      const event = new TextDecoder().decode(bytes.subarray(found.start, found.end));
      const endpoint = endpointOf(event, sealedUrl);
      return { endpoint, before: bytes.slice(0, found.start), after: bytes.slice(found.end) };
    }
    if (bytes.byteLength > firstEventLimit) throw new Fault("upstream_protocol");
  }
}

/** Where the first event with fields begins and ends (blank line included); blocks of comments are skipped. */
function firstEventIn(bytes: Uint8Array): { start: number; end: number } | undefined {
  // Latin-1 gives one character per byte, so positions in the text are positions in the bytes.
  const text = new TextDecoder("latin1").decode(bytes);
  let start = 0;
  for (;;) {
    const blank = blankLine.exec(text.slice(start));
    if (blank === null) return undefined;
    const end = start + blank.index + blank[0].length;
    if (/(?:^|[\r\n])(?:event|data)/.test(text.slice(start, end))) return { start, end };
    start = end;
  }
}

function endpointOf(event: string, sealedUrl: string): string {
  const field = (name: string): string | undefined =>
    new RegExp(`(?:^|[\\r\\n])${name}: ?([^\\r\\n]*)`).exec(event)?.[1];
  const data = field("data");
  if (field("event") !== "endpoint" || data === undefined || !URL.canParse(data, sealedUrl)) {
    throw new Fault("upstream_protocol");
  }
  const endpoint = new URL(data, sealedUrl);
  const { origin, protocol } = new URL(sealedUrl);
  // The origin of a blob: URL is the one inside it.
  const elsewhere = endpoint.origin !== origin || endpoint.protocol !== protocol;
  if (elsewhere || endpoint.username !== "" || endpoint.password !== "") {
    throw new Fault("upstream_protocol");
  }
  return endpoint.href;
}

/**
 * The event that the client gets instead: a path of ours, with the service's address sealed inside it. So the path
 * needs no memory here, and its holder cannot aim the secret at another address of the service.
 */
export async function endpointEvent(
  endpoint: string,
  messagesPath: string,
  admitted: Admitted,
  environment: CredentialEnvironment,
  random: Random,
): Promise<Uint8Array<ArrayBuffer>> {
  const sealed = await seal({
    key: await endpointKey(admitted),
    kid: admitted.key.kid,
    context: endpointContext(admitted, environment),
    plaintext: utf8(endpoint),
    random,
  });
  return utf8(`event: endpoint\ndata: ${messagesPath}?e=${toBase64Url(sealed)}\n\n`);
}

/** The service's address that `endpointEvent` sealed, or a fault: the path was made for another connection. */
export async function openEndpoint(
  sealed: string | null,
  admitted: Admitted,
  environment: CredentialEnvironment,
): Promise<string> {
  const envelope = sealed === null ? undefined : fromBase64Url(sealed);
  if (envelope === undefined) throw new Fault("unknown_credential");
  try {
    const key = await endpointKey(admitted);
    return fromUtf8(
      await open({ key, kid: admitted.key.kid, context: endpointContext(admitted, environment), envelope }),
    );
  } catch (error) {
    if (error instanceof VaultError) throw new Fault("unknown_credential");
    throw error;
  }
}

async function endpointKey(admitted: Admitted): Promise<SealingKey> {
  return await deriveSealingKey(admitted.key.material, admitted.row.id, "legacy-endpoint");
}

function endpointContext({ binding }: Admitted, environment: CredentialEnvironment): EnvelopeContext {
  // A session outlives refreshes of its grant, so the generation is not part of what it is bound to.
  return contextOf({ ...binding, generation: 0 }, environment, "legacy-endpoint");
}
