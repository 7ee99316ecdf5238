/**
 * Row f: the pass-through with one D1 read, and every call of the platform that Bindify's promises need besides: a
 * credential looked up by its hash, its second half proven and a grant opened with it (five calls of WebCrypto), the
 * body kept for a repeat, a time limit, an end when the client leaves, and lists of headers both ways. It checks
 * nothing and answers no error: what it costs above b+ is what no code of ours can go below.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const id = new Uint8Array(32);
const key = new Uint8Array(32);
const salt = encoder.encode("con_0123456789abcdef0123456789abcdef");
const proof = encoder.encode("bindify/verify/v1");
const purpose = encoder.encode("bindify/seal/v1/grant");
const aes = { name: "AES-GCM", length: 256 };
const hkdf = (info: Uint8Array) => ({ name: "HKDF", hash: "SHA-256", salt, info });
const sealing = { name: "AES-GCM", iv: new Uint8Array(12), additionalData: new Uint8Array(300) };
const timeLimit = 60_000;

const requestHeaders = new Set(["content-type", "accept", "accept-language", "user-agent", "authorization"]);
const responseHeaders = new Set(["content-type", "cache-control", "retry-after"]);

/** What is opened on each call; sealed at the first. */
let sealed: ArrayBuffer | undefined;

async function openGrant(url: string): Promise<string> {
  const material = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits", "deriveKey"]);
  await crypto.subtle.deriveBits(hkdf(proof), material, 256);
  const opener = await crypto.subtle.deriveKey(hkdf(purpose), material, aes, false, ["encrypt", "decrypt"]);
  sealed ??= await crypto.subtle.encrypt(
    sealing,
    opener,
    encoder.encode(JSON.stringify({ v: 1, kind: "key", url, secret: "x".repeat(64) })),
  );
  const grant: { url: string } = JSON.parse(
    decoder.decode(await crypto.subtle.decrypt(sealing, opener, sealed)),
  );
  return grant.url;
}

function listed(headers: Headers, names: ReadonlySet<string>): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [name, value] of headers) if (names.has(name) || name.startsWith("mcp-")) record[name] = value;
  return record;
}

export default {
  async fetch(request: Request, env: { readonly DB: D1Database }): Promise<Response> {
    await crypto.subtle.digest("SHA-256", id);
    const row = await env.DB.prepare("SELECT url, blob FROM bench WHERE id = ?1")
      .bind("connection")
      .first<{ url: string; blob: string }>();
    if (row === null) return new Response("no such connection", { status: 404 });
    const url = await openGrant(row.url);
    const body = request.method === "GET" ? null : new Uint8Array(await request.arrayBuffer());
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeLimit);
    request.signal.addEventListener("abort", () => controller.abort(), { once: true });
    const answer = await fetch(url, {
      method: request.method,
      headers: { ...listed(request.headers, requestHeaders), "accept-encoding": "identity" },
      body,
      redirect: "manual",
      signal: controller.signal,
    });
    clearTimeout(timer);
    const headers = listed(answer.headers, responseHeaders);
    headers["content-security-policy"] = "sandbox; default-src 'none'; frame-ancestors 'none'";
    headers["x-content-type-options"] = "nosniff";
    headers["referrer-policy"] = "no-referrer";
    return new Response(answer.body, { status: answer.status, headers });
  },
};
