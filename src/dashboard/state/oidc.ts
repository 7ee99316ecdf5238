/**
 * Signing in with an OpenID Connect issuer: authorization code with PKCE (RFC 7636) by a public client. The verifier
 * waits in this tab's storage while the person is away; the code leaves the address bar before anything else runs.
 */
import * as z from "zod/mini";
import { claimsOf } from "../jwt.ts";
import { keepToken } from "../session.ts";
import { chooseToken, discover, exchange, type Tokens } from "./oidc-issuer.ts";

const storageKey = "bindify.oidc";

export interface OidcConfig {
  issuer: string;
  client_id: string;
  /** What the tokens that this deployment takes must name. */
  audience: string;
}

const pendingSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  audience: z.string(),
  token_endpoint: z.string(),
  /** Where in the page the person was. */
  hash: z.string(),
});
type Pending = z.infer<typeof pendingSchema>;

export type OidcState = { step: "idle" } | { step: "working" } | { step: "failed"; sentence: string };

const listeners = new Set<() => void>();
let state: OidcState = { step: "idle" };

export const currentOidc = (): OidcState => state;

export function onOidcChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Goes to the issuer's own page. */
export async function beginOidc(config: OidcConfig): Promise<void> {
  change({ step: "working" });
  try {
    const metadata = await discover(config.issuer);
    const [stateText, nonce, verifier] = [randomText(), randomText(), randomText()];
    const pending: Pending = {
      ...config,
      state: stateText,
      nonce,
      verifier,
      token_endpoint: metadata.token_endpoint,
      hash: location.hash,
    };
    sessionStorage.setItem(storageKey, JSON.stringify(pending));
    const address = new URL(metadata.authorization_endpoint);
    const query: Record<string, string> = {
      response_type: "code",
      client_id: config.client_id,
      redirect_uri: redirectUri(),
      scope: "openid email profile",
      state: stateText,
      nonce,
      code_challenge: await challengeOf(verifier),
      code_challenge_method: "S256",
    };
    // In the fragment the code reaches no server but the issuer's.
    if (metadata.response_modes_supported?.includes("fragment")) query["response_mode"] = "fragment";
    // An API of its own: one parameter is RFC 8707, the other what some issuers had before it.
    if (config.audience !== config.client_id) {
      query["audience"] = config.audience;
      if (URL.canParse(config.audience)) query["resource"] = config.audience;
    }
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
    location.assign(address.href);
  } catch {
    fail(`${config.issuer} did not answer as an OpenID Connect issuer. Try again in a minute.`);
  }
}

/** Takes the issuer's answer out of the address, wherever it stands, and finishes what was begun in this tab. */
export function adoptOidcAnswer(): void {
  const fromQuery = new URLSearchParams(location.search);
  // A route begins with a slash; one of them is the way back from a service's own sign-in.
  const fromHash = new URLSearchParams(location.hash.startsWith("#/") ? "" : location.hash.slice(1));
  const answer = isAnswer(fromQuery) ? fromQuery : isAnswer(fromHash) ? fromHash : undefined;
  if (answer === undefined) return;
  const pending = takePending();
  history.replaceState(null, "", location.pathname + (pending?.hash ?? ""));
  if (pending === undefined || answer.get("state") !== pending.state) {
    fail("That sign-in was not begun in this tab. Begin it again here.");
    return;
  }
  // RFC 9207: an answer of another issuer is not for this one's token endpoint.
  const issuer = answer.get("iss");
  const code = answer.get("code");
  if ((issuer !== null && issuer !== pending.issuer) || code === null) {
    const denied = answer.get("error") === "access_denied";
    fail(denied ? "You did not allow the sign-in." : "The identity provider ended the sign-in. Try again.");
    return;
  }
  change({ step: "working" });
  void finish(code, pending);
}

const isAnswer = (query: URLSearchParams) => query.has("state") && (query.has("code") || query.has("error"));

async function finish(code: string, pending: Pending): Promise<void> {
  const tokens = await exchange(pending, {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri(),
    code_verifier: pending.verifier,
  });
  const token = tokens && chooseToken(tokens, pending.audience);
  // The nonce ties the identity token to this very sign-in (OpenID Connect Core §3.1.3.7).
  const nonce = tokens?.id_token === undefined ? pending.nonce : claimsOf(tokens.id_token).nonce;
  if (tokens === undefined || token === undefined || nonce !== pending.nonce) {
    fail("The identity provider's answer could not be used. Try again.");
    return;
  }
  keepToken(token, renewal(tokens, pending));
  change({ step: "idle" });
}

/** With a refresh token, in memory alone, a short-lived token does not end what a person is doing. */
function renewal(first: Tokens, pending: Pending): (() => Promise<string | undefined>) | undefined {
  let refresh = first.refresh_token;
  if (refresh === undefined) return undefined;
  return async () => {
    if (refresh === undefined) return undefined;
    const tokens = await exchange(pending, { grant_type: "refresh_token", refresh_token: refresh });
    refresh = tokens?.refresh_token ?? refresh;
    return tokens && chooseToken(tokens, pending.audience);
  };
}

function takePending(): Pending | undefined {
  const text = sessionStorage.getItem(storageKey);
  sessionStorage.removeItem(storageKey);
  try {
    return text === null ? undefined : pendingSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const redirectUri = () => `${location.origin}/`;

const randomText = () => base64Url(crypto.getRandomValues(new Uint8Array(32)));

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64Url(new Uint8Array(digest));
}

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCodePoint(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

function fail(sentence: string): void {
  change({ step: "failed", sentence });
}

function change(next: OidcState): void {
  state = next;
  for (const listener of listeners) listener();
}
