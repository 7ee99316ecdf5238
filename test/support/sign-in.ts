import { z } from "zod";
import { parseCredential, type Credential } from "../../src/vault/credential.ts";
import { connectionAnswer, type Person } from "./person.ts";
import type { Provider } from "./provider.ts";

export interface Wanted {
  readonly service?: string;
  readonly url?: string;
  readonly storage?: "zero_knowledge" | "managed";
  readonly label?: string;
  readonly reauthorize?: string;
  readonly client?: { readonly id: string; readonly secret?: string };
  readonly return_to?: string;
}

const begunAnswer = z.strictObject({
  authorization_url: z.url(),
  state: z.string().regex(/^[\w-]{43}$/),
  expires_at: z.iso.datetime(),
  authorization_server: z.string(),
  resource_server: z.string(),
});

export interface Begun {
  readonly state: string;
  readonly authorization_url: string;
  /** The parameters of the authorization request. */
  readonly asked: URLSearchParams;
}

const signedInAnswer = z.strictObject({
  connection: connectionAnswer,
  credential: z.strictObject({ secret_url: z.url(), api_key: z.string(), mcp_url: z.url() }).nullable(),
  snippets: z.array(z.looseObject({ text: z.string() })),
  extra_scope: z.array(z.string()),
});

export type SignedIn = z.output<typeof signedInAnswer>;

export interface Connected extends SignedIn {
  readonly id: string;
  /** Path of the secret URL. */
  readonly secretPath: string;
  readonly mcpPath: string;
  readonly apiKey: string;
  readonly text: string;
  readonly credential: NonNullable<SignedIn["credential"]>;
  readonly halves: Credential;
}

/** The answer to `authorize`, also where it is a refusal. */
export async function tryToBegin(person: Person, wanted: Wanted): Promise<Response> {
  return await person.call("POST", "/api/connections/authorize", wanted);
}

export async function begin(person: Person, wanted: Wanted): Promise<Begun> {
  const answer = await tryToBegin(person, wanted);
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`authorize was answered ${answer.status}: ${text}`);
  const { state, authorization_url } = begunAnswer.parse(JSON.parse(text));
  return { state, authorization_url, asked: new URL(authorization_url).searchParams };
}

/** What the page posts when the provider's redirect arrived. */
export async function finish(person: Person, answer: Readonly<Record<string, string>>): Promise<Response> {
  return await person.call("POST", "/api/connections/complete", answer);
}

export async function signedInBy(response: Response): Promise<SignedIn> {
  const text = await response.text();
  if (response.status !== 201) throw new Error(`complete was answered ${response.status}: ${text}`);
  return signedInAnswer.parse(JSON.parse(text));
}

/** A good answer of the provider to a flow. */
export function goodAnswer({ state }: Begun, provider: Provider): Readonly<Record<string, string>> {
  return { state, code: `code-${provider.id}`, iss: provider.issuer };
}

/** The whole way at a provider of the hostile server. */
export async function signIn(person: Person, provider: Provider, wanted: Wanted = {}): Promise<Connected> {
  const address = wanted.reauthorize === undefined ? { service: "custom", url: provider.mcpUrl } : {};
  const begun = await begin(person, { ...address, ...wanted });
  const signedIn = await signedInBy(await finish(person, goodAnswer(begun, provider)));
  const { credential, connection } = signedIn;
  if (credential === null) throw new Error("no new credential was answered");
  const text = credential.secret_url.split("/").at(-1) ?? "";
  const halves = parseCredential(text);
  if (halves === undefined) throw new Error("the secret URL does not end in a credential");
  return {
    ...signedIn,
    credential,
    id: connection.id,
    secretPath: new URL(credential.secret_url).pathname,
    mcpPath: new URL(credential.mcp_url).pathname,
    apiKey: credential.api_key,
    text,
    halves,
  };
}
