import type { IncomingMessage, ServerResponse } from "node:http";
import { listenOnLoopback } from "../../test/support/node/listening.ts";
import type { Collected } from "./evidence.ts";
import type { Dice } from "./dice.ts";
import type { Double, Received } from "./double.ts";
import { allowedAt, createSite, issueTokens, type Site } from "./site.ts";
import type { Secrets } from "./secrets.ts";

export interface SiteServer {
  readonly url: string;
  create(dice: Dice): Site;
  close(): Promise<void>;
}

/** The services and authorization servers of a run, and its doubles: they keep what reaches them, and repeat it. */
export async function startSites(
  secrets: Secrets,
  collected: Collected,
  doubles: readonly Double[],
): Promise<SiteServer> {
  const sites = new Map<string, Site>();

  const listening = await listenOnLoopback(0, async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const body = await bodyOf(request);
    const echo = JSON.stringify({ url: request.url, headers: request.headers, body });
    const received: Received = { request, response, body, echo };
    const double = doubles.find((one) => one.takes(pathname));
    if (double !== undefined) {
      await double.answer(received, collected);
      return;
    }
    const wellKnown = /^\/\.well-known\/([a-z-]+)\/([^/]+)/.exec(pathname);
    const [, first = "", end = ""] = /^\/([^/]+)(\/.*)?$/.exec(pathname) ?? [];
    const site = sites.get(wellKnown?.[2] ?? first);
    if (site === undefined) {
      collected.add("request to a service", "a server that is nobody's", echo);
      send(response, 404, "application/json", "{}");
      return;
    }
    keep(site, end, received, collected);
    if (wellKnown !== null) answerMetadata(site, wellKnown[1] ?? "", response);
    else if (end === "/mcp") await answerCall(site, received);
    else if (end === "/token") answerToken(site, received, secrets);
    else if (end === "/register") {
      const { id, secret } = site.client;
      const client = { client_id: id, client_secret: secret, token_endpoint_auth_method: site.method };
      send(response, 201, "application/json", JSON.stringify(client));
    } else if (end === "/revoke") send(response, site.refusal === 500 ? 503 : 200, "text/html", echo);
    else send(response, 404, "application/json", echo);
  });

  return {
    url: listening.url,
    create: (dice) => {
      const site = createSite({ origin: listening.url, dice, secrets, collected });
      sites.set(site.id, site);
      return site;
    },
    close: () => listening.close(),
  };
}

/** Each header by itself: only the one that is meant for it may carry the secret. */
function keep(site: Site, end: string, { request, body }: Received, collected: Collected): void {
  const where = end === "" ? "metadata" : end;
  const carrier = (site.header ?? "authorization").toLowerCase();
  for (const [name, value] of Object.entries(request.headers)) {
    const carries = end === "/mcp" ? ["authorization", carrier].includes(name) : name === "authorization";
    const owned = { rule: "the header for the key in a call", owner: site.id } as const;
    const allowed = end === "/mcp" ? [owned] : allowedAt(site, end);
    collected.add("request to a service", `${where} header ${name}`, String(value), carries ? allowed : []);
  }
  collected.add("request to a service", `${where} address`, request.url ?? "");
  collected.add("request to a service", `${where} body`, body, allowedAt(site, end));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const part of request) if (Buffer.isBuffer(part)) chunks.push(part);
  return Buffer.concat(chunks).toString("utf8");
}

function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": type, ...headers }).end(text);
}

function answerMetadata(site: Site, name: string, response: ServerResponse): void {
  const resource = { resource: site.url, authorization_servers: [site.issuer] };
  const server = {
    issuer: site.issuer,
    authorization_endpoint: `${site.issuer}/authorize`,
    token_endpoint: `${site.issuer}/token`,
    registration_endpoint: `${site.issuer}/register`,
    revocation_endpoint: `${site.issuer}/revoke`,
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: [site.method],
    authorization_response_iss_parameter_supported: true,
  };
  const found = name === "oauth-protected-resource" ? resource : server;
  send(response, 200, "application/json", JSON.stringify(found));
}

/** The secret that a call brought, without its scheme. */
function presented(site: Site, { request }: Received): string {
  const raw = request.headers[(site.header ?? "authorization").toLowerCase()];
  const other = request.headers.authorization ?? "";
  return String(raw ?? other).replace(/^Bearer /, "");
}

async function answerCall(site: Site, received: Received): Promise<void> {
  const { request, response, body, echo } = received;
  const secret = presented(site, received);
  // In headers that are passed on, and in those that must not be.
  const repeated = {
    "mcp-prove": "relayed",
    "mcp-echo": secret,
    "x-echo": secret,
    "set-cookie": `session=${encodeURIComponent(secret)}`,
    "www-authenticate": `Bearer error_description="${secret}", resource_metadata="${site.issuer.replace(/\/[^/]+$/, "")}/.well-known/oauth-protected-resource/${site.id}/mcp"`,
  };
  const valid = secret === site.key || site.tokens.has(secret);
  if (!valid) {
    send(
      response,
      secret === "" || site.issued.has(secret) ? 401 : site.refusal,
      "application/json",
      echo,
      repeated,
    );
    return;
  }
  if (body.includes('"initialize"')) {
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      serverInfo: { name: echo, version: "1" },
    };
    send(response, 200, "application/json", JSON.stringify({ jsonrpc: "2.0", id: 1, result }), repeated);
    return;
  }
  const mode = site.calls.shift() ?? "echo";
  const text = JSON.stringify({ jsonrpc: "2.0", id: 7, result: { said: echo } });
  if (mode === "reset") request.socket.resetAndDestroy();
  else if (mode === "hang") response.socket?.setTimeout(20_000, () => response.destroy());
  else if (mode === "cut") {
    response.writeHead(200, { "content-type": "application/json", "content-length": 100_000, ...repeated });
    response.write(text, () => request.socket.resetAndDestroy());
  } else if (mode === "redirect") {
    const location = `${site.issuer}x/elsewhere?key=${encodeURIComponent(secret)}`;
    send(response, 302, "text/html", echo, { ...repeated, location });
  } else if (mode === "more access") {
    const challenge = `Bearer error="insufficient_scope", scope="admin ${secret.replaceAll('"', "")}"`;
    send(response, 403, "application/json", echo, { ...repeated, "www-authenticate": challenge });
  } else if (mode === "events") {
    send(response, 200, "text/event-stream", `event: message\ndata: ${text}\n\n`, repeated);
  } else if (mode === "html") send(response, 200, "text/html", `<pre>${echo}</pre>`, repeated);
  else
    send(response, mode === "echo" ? 200 : Number(/\d+/.exec(mode)?.[0]), "application/json", text, repeated);
}

function answerToken(site: Site, { request, response, body, echo }: Received, secrets: Secrets): void {
  const form = new URLSearchParams(body);
  const verifier = form.get("code_verifier");
  if (verifier !== null) secrets.note("PKCE verifier", site.id, verifier);
  const mode = site.grants.shift() ?? "tokens";
  const json = "application/json";
  if (mode === "tokens") send(response, 200, json, JSON.stringify(issueTokens(site, secrets)));
  else if (mode === "tokens in scope") {
    send(response, 200, json, JSON.stringify(issueTokens(site, secrets, "tokens")));
  } else if (mode === "html") send(response, 200, "text/html", `<pre>${echo}</pre>`);
  else if (mode === "reset") request.socket.resetAndDestroy();
  else if (mode === "cut") send(response, 200, json, echo.slice(0, -1));
  else if (mode === "invalid_grant" || mode === "odd error") {
    const error = mode === "invalid_grant" ? mode : body.slice(0, 90);
    send(response, 400, json, JSON.stringify({ error, error_description: echo, error_uri: echo }));
  } else send(response, Number(mode), "text/html", echo, { "retry-after": "1" });
}
