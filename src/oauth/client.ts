import * as oauth from "oauth4webapi";
import type { Clock } from "../lib/clock.ts";
import { NoAnswer, type OauthHttp } from "./http.ts";
import { readTokenAnswer, type TokenAnswer } from "./normalize.ts";
import type { OauthClient, TokenSource } from "./server.ts";

export interface TokenDeps {
  readonly http: OauthHttp;
  readonly clock: Clock;
}

/** `no_answer`: nobody knows whether the other side acted. `refused` carries the wait that it asked for, ms. */
export type TokenResult =
  | TokenAnswer
  | { readonly kind: "no_answer" }
  | { readonly kind: "busy"; readonly retryAfter: number | undefined };

/** Finds the object that may hold the tokens, for services that nest them. */
export type NestedTokens = (body: unknown) => unknown;

/** Exchanges an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.5, RFC 8707 §2.2). */
export async function exchangeCode(
  source: TokenSource,
  code: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
  nested: NestedTokens,
  deps: TokenDeps,
): Promise<TokenResult> {
  return await token(
    source,
    "authorization_code",
    { code: code.code, redirect_uri: code.redirectUri, code_verifier: code.verifier },
    nested,
    deps,
  );
}

/** Uses a refresh token (RFC 6749 §6). The caller holds the lease and has said so in the database. */
export async function refreshTokens(
  source: TokenSource,
  refreshToken: string,
  nested: NestedTokens,
  deps: TokenDeps,
): Promise<TokenResult> {
  return await token(source, "refresh_token", { refresh_token: refreshToken }, nested, deps);
}

async function token(
  source: TokenSource,
  grantType: string,
  parameters: Record<string, string>,
  nested: NestedTokens,
  deps: TokenDeps,
): Promise<TokenResult> {
  const { as, client } = forLibrary(source);
  const body = new URLSearchParams(parameters);
  if (source.resource !== undefined) body.set("resource", source.resource);
  try {
    const answer = await oauth.genericTokenEndpointRequest(
      as,
      client,
      authentication(source.client),
      grantType,
      body,
      { ...deps.http.options, headers: { accept: "application/json" } },
    );
    const result = await readAnswer(answer, nested, deps);
    const { secret = "" } = source.client;
    return result.kind === "tokens" ? withPlainScope(result, [secret, ...Object.values(parameters)]) : result;
  } catch (error) {
    if (error instanceof NoAnswer) return { kind: error.reason === "denied" ? "unusable" : "no_answer" };
    throw error;
  }
}

/** What a scope never holds by chance. */
const shortestSecret = 8;

/**
 * A scope is stored and shown in clear. A server that repeats a secret of the exchange in it said nothing of the scope:
 * then, as without one, what was asked for is granted.
 */
function withPlainScope(
  answer: Extract<TokenAnswer, { kind: "tokens" }>,
  given: readonly string[],
): TokenAnswer {
  const { tokens } = answer;
  const { scope, access_token: access, refresh_token: refresh = "" } = tokens;
  const repeats = [access, refresh, ...given].some(
    (secret) => secret.length >= shortestSecret && scope?.includes(secret),
  );
  return repeats ? { ...answer, tokens: { ...tokens, scope: undefined } } : answer;
}

async function readAnswer(answer: Response, nested: NestedTokens, deps: TokenDeps): Promise<TokenResult> {
  const body = parse(await answer.text());
  // JSON that breaks off: tokens may have been in it.
  if (answer.ok && body === undefined && isJson(answer.headers)) return { kind: "no_answer" };
  const read = readTokenAnswer(answer.status, body, nested(body), deps.clock());
  if (read.kind === "tokens") return read;
  if (answer.status === 429 || answer.status >= 500)
    return { kind: "busy", retryAfter: retryAfter(answer.headers, deps.clock()) };
  return read;
}

function isJson(headers: Headers): boolean {
  return headers.get("content-type")?.toLowerCase().includes("json") ?? false;
}

/** Delay seconds or an HTTP date (RFC 9110 §10.2.3), as ms. */
function retryAfter(headers: Headers, now: number): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const delay = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isFinite(delay) && delay > 0 ? delay : undefined;
}

/** Revokes a token (RFC 7009). True when the server says that it is done. */
export async function revokeToken(
  source: TokenSource,
  tokenValue: string,
  hint: "access_token" | "refresh_token",
  deps: TokenDeps,
): Promise<"revoked" | "failed"> {
  const { as, client } = forLibrary(source);
  try {
    const answer = await oauth.revocationRequest(as, client, authentication(source.client), tokenValue, {
      ...deps.http.options,
      additionalParameters: { token_type_hint: hint },
    });
    return answer.ok ? "revoked" : "failed";
  } catch (error) {
    if (error instanceof NoAnswer) return "failed";
    throw error;
  }
}

function forLibrary(source: TokenSource): { as: oauth.AuthorizationServer; client: oauth.Client } {
  return {
    as: {
      issuer: source.issuer,
      token_endpoint: source.token_endpoint,
      ...(source.revocation_endpoint === undefined
        ? {}
        : { revocation_endpoint: source.revocation_endpoint }),
    },
    client: { client_id: source.client.id },
  };
}

function authentication(client: OauthClient): oauth.ClientAuth {
  if (client.secret === undefined || client.method === "none") return oauth.None();
  return client.method === "client_secret_post"
    ? oauth.ClientSecretPost(client.secret)
    : basic(client.id, client.secret);
}

/**
 * RFC 6749 §2.3.1: both parts form-encoded. Only what must be: many servers do not decode, and the dashes of a UUID,
 * which the library would encode, mean the same in both.
 */
function basic(id: string, secret: string): oauth.ClientAuth {
  return (_server, _client, _body, headers) => {
    headers.set("authorization", `Basic ${btoa(`${formEncode(id)}:${formEncode(secret)}`)}`);
  };
}

function formEncode(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // GitHub answers in form encoding where it overlooks the Accept header.
    return /^[\w%+.-]+=/.test(text) ? Object.fromEntries(new URLSearchParams(text)) : undefined;
  }
}
