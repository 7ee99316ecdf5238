import { z } from "zod";
import { signInAtDemo } from "./consent.ts";
import type { Answer, Instance } from "./instance.ts";

export interface Wanted {
  readonly service?: string;
  readonly url?: string;
  readonly storage?: "zero_knowledge" | "managed";
  readonly label?: string;
  readonly reauthorize?: string;
  readonly client?: { readonly id: string; readonly secret?: string };
  readonly return_to?: string;
}

const begunSchema = z.object({
  authorization_url: z.url(),
  state: z.string(),
  expires_at: z.iso.datetime(),
  authorization_server: z.string(),
  resource_server: z.string(),
});

export type Begun = z.output<typeof begunSchema>;

const connectionSchema = z.looseObject({
  id: z.string(),
  service: z.string(),
  label: z.string(),
  kind: z.string(),
  storage: z.string(),
  status: z.string(),
  state: z.string(),
  scope: z.string().nullable(),
  revocation: z.string().nullable(),
  access_expires_at: z.string().nullable(),
});

const credentialSchema = z.object({ secret_url: z.url(), api_key: z.string(), mcp_url: z.url() });

const signedInSchema = z.object({
  connection: connectionSchema,
  credential: credentialSchema.nullable(),
  snippets: z.array(z.looseObject({ text: z.string() })),
});

export type SignedIn = z.output<typeof signedInSchema>;
export type Connection = z.output<typeof connectionSchema>;

const problemSchema = z.object({ status: z.number(), code: z.string(), detail: z.string() });
export type Problem = z.output<typeof problemSchema>;

/** What an answer that is a problem says. */
export function problemIn({ body }: Answer): Problem {
  return problemSchema.parse(body);
}

export function signedInBy({ status, body }: Answer): SignedIn {
  if (status !== 201) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  return signedInSchema.parse(body);
}

export async function begin(instance: Instance, wanted: Wanted, user?: string): Promise<Begun> {
  const { status, body } = await instance.api("POST", "/api/connections/authorize", wanted, user);
  if (status !== 200) throw new Error(`not begun: ${status} ${JSON.stringify(body)}`);
  return begunSchema.parse(body);
}

/** Goes to a redirect address of the worker as the browser does, and reads what the page is handed. */
async function handedOn(instance: Instance, callback: URL): Promise<Record<string, string>> {
  const address = new URL(callback.pathname + callback.search, instance.url);
  const response = await fetch(address, { redirect: "manual" });
  const location = response.headers.get("location") ?? "";
  if (response.status !== 303) throw new Error(`the callback answered ${response.status}`);
  const handed = location.includes("#/callback?") ? location.split("#/callback?")[1] : location.split("?")[1];
  return Object.fromEntries(new URLSearchParams(handed));
}

/** Through the provider's pages and back: what the page would post. */
export async function consent(
  instance: Instance,
  begun: Begun,
  options: { readonly name?: string; readonly deny?: boolean } = {},
): Promise<Record<string, string>> {
  return await handedOn(instance, await signInAtDemo(begun.authorization_url, options));
}

export async function complete(
  instance: Instance,
  answer: Record<string, string>,
  user?: string,
): Promise<Answer> {
  return await instance.api("POST", "/api/connections/complete", answer, user);
}

/** The whole way: begin, consent at the demo service, finish. */
export async function signIn(
  instance: Instance,
  wanted: Wanted,
  options: { readonly user?: string; readonly name?: string; readonly credential?: string } = {},
): Promise<SignedIn> {
  const begun = await begin(instance, wanted, options.user);
  const answer = await consent(instance, begun, options.name === undefined ? {} : { name: options.name });
  const { credential } = options;
  const whole = { ...answer, ...(credential === undefined ? {} : { credential }) };
  return signedInBy(await complete(instance, whole, options.user));
}

/** A sign-in that gave a new credential. */
export async function connectByOauth(
  instance: Instance,
  wanted: Wanted,
  options: { readonly user?: string; readonly name?: string } = {},
): Promise<{ connection: Connection; secretUrl: string; apiKey: string; mcpUrl: string }> {
  const { connection, credential } = await signIn(instance, wanted, options);
  if (credential === null) throw new Error("no new credential was answered");
  const { secret_url: secretUrl, api_key: apiKey, mcp_url: mcpUrl } = credential;
  return { connection, secretUrl, apiKey, mcpUrl };
}
