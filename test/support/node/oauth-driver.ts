import { z } from "zod";
import { connectV2 } from "./mcp-clients.ts";

/**
 * A client for the conformance suite that is Bindify and an official MCP client behind it: connects the suite's
 * server by its address through the JSON API, follows the authorization redirect as a browser would, and calls tools
 * through the secret URL. `BINDIFY_URL` is where the instance is, `BINDIFY_TOKEN` signs its user in.
 */
const serverUrl = process.argv.at(-1) ?? "";
const bindify = process.env["BINDIFY_URL"] ?? "";
const scenario = process.env["MCP_CONFORMANCE_SCENARIO"] ?? "";
const era = process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"] === "2026-07-28" ? "auto" : "legacy";

/** Sign-ins for more access before one gives up. */
const stepUps = 2;

const contextSchema = z.looseObject({
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
});
const begunSchema = z.object({ authorization_url: z.url(), state: z.string() });
const signedInSchema = z.object({
  connection: z.object({ id: z.string() }),
  credential: z.object({ secret_url: z.url() }).nullable(),
});

class Refused extends Error {}

async function api(path: string, body: object): Promise<unknown> {
  const answer = await fetch(new URL(path, bindify), {
    method: "POST",
    headers: {
      authorization: `Bearer ${process.env["BINDIFY_TOKEN"] ?? ""}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Refused(`${path}: ${text}`);
  return JSON.parse(text);
}

/** The person's part: the suite's server consents at once. */
async function visit(authorizationUrl: string): Promise<Record<string, string>> {
  const consent = await fetch(authorizationUrl, { redirect: "manual" });
  const back = new URL(consent.headers.get("location") ?? "");
  const callback = await fetch(new URL(back.pathname + back.search, bindify), { redirect: "manual" });
  const page = callback.headers.get("location") ?? "";
  return Object.fromEntries(new URLSearchParams(page.split("#/callback?")[1]));
}

async function signIn(wanted: object, credential?: string): Promise<{ id: string; secretUrl: string }> {
  const begun = begunSchema.parse(await api("/api/connections/authorize", wanted));
  const answer = await visit(begun.authorization_url);
  const whole = { ...answer, ...(credential === undefined ? {} : { credential }) };
  const { connection, credential: fresh } = signedInSchema.parse(
    await api("/api/connections/complete", whole),
  );
  return { id: connection.id, secretUrl: fresh?.secret_url ?? credential ?? "" };
}

/** Through the proxy, at the instance's real address. */
async function callTools(secretUrl: string): Promise<void> {
  const { pathname } = new URL(secretUrl);
  const client = await connectV2(new URL(pathname, bindify).href, { era });
  try {
    for (const name of await client.listTools()) await client.callTool(name);
  } finally {
    await client.close();
  }
}

function asksForSignIn(error: unknown): boolean {
  return error instanceof Error && /re-authorize/.test(error.message);
}

const context = contextSchema.parse(JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}"));
const { client_id: id, client_secret: secret } = context;
const client = id === undefined ? {} : { client: { id, ...(secret === undefined ? {} : { secret }) } };

let { id: connection, secretUrl } = await signIn({ service: "custom", url: serverUrl, ...client });
for (let tries = 0; ; tries += 1) {
  try {
    await callTools(secretUrl);
    break;
  } catch (error) {
    if (!asksForSignIn(error) || tries === stepUps) throw error;
    ({ id: connection, secretUrl } = await signIn({ reauthorize: connection, ...client }, secretUrl));
  }
}
console.log(`${scenario}: done`);
