import { z } from "zod";
import { parseCredential, type Credential } from "../../src/vault/credential.ts";
import type { Instance } from "./instance.ts";
import { localClaims, signLocal } from "./tokens.ts";

export interface Person {
  readonly name: string;
  readonly token: string;
  /** A request of the JSON API as this person; a value as `body` is sent as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  connect(wanted: Wanted): Promise<Connected>;
}

export interface Wanted {
  readonly url?: string;
  readonly service?: string;
  readonly key?: string;
  readonly storage?: "zero_knowledge" | "managed";
  readonly header?: { name: string; prefix?: string };
  readonly label?: string;
}

export interface Connected {
  readonly id: string;
  readonly service: string;
  readonly secretUrl: string;
  /** Path of the secret URL. */
  readonly secretPath: string;
  readonly mcpPath: string;
  readonly apiKey: string;
  /** The 86 characters, and the two halves that they spell. */
  readonly text: string;
  readonly credential: Credential;
}

export const connectionAnswer = z.strictObject({
  id: z.string(),
  service: z.string(),
  service_name: z.string(),
  label: z.string(),
  kind: z.enum(["key", "oauth"]),
  storage: z.enum(["zero_knowledge", "managed"]),
  status: z.enum(["active", "suspended", "disconnected"]),
  state: z.string(),
  reminder: z.enum(["reauthorize", "authorize_again_soon"]).nullable(),
  upstream_url: z.string(),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
  access_expires_at: z.iso.datetime().nullable(),
  disconnected_at: z.iso.datetime().nullable(),
  refreshable: z.boolean(),
  refreshed_at: z.iso.datetime().nullable(),
  authorized_at: z.iso.datetime().nullable(),
  scope: z.string().nullable(),
  wanted_scope: z.string().nullable(),
  revocation: z.string().nullable(),
});

export const createdAnswer = z.strictObject({
  connection: connectionAnswer,
  credential: z.strictObject({ secret_url: z.url(), api_key: z.string(), mcp_url: z.url() }),
  snippets: z.array(z.looseObject({ client: z.string(), title: z.string(), text: z.string() })),
});

let people = 0;

export async function createPerson(instance: Instance, name?: string): Promise<Person> {
  people += 1;
  const own = name ?? `person-${people}-${crypto.randomUUID().slice(0, 8)}`;
  const token = await signLocal(localClaims(own));

  const call: Person["call"] = async (method, path, body, headers = {}) =>
    await instance.fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });

  return {
    name: own,
    token,
    call,
    async connect({ key = "good-key", service = "custom", ...wanted }) {
      const answer = await call("POST", "/api/connections", { service, fields: { api_key: key }, ...wanted });
      if (answer.status !== 201)
        throw new Error(`connecting was answered ${answer.status}: ${await answer.text()}`);
      const { connection, credential } = createdAnswer.parse(await answer.json());
      const text = credential.secret_url.split("/").at(-1) ?? "";
      const halves = parseCredential(text);
      if (halves === undefined) throw new Error("the secret URL does not end in a credential");
      return {
        id: connection.id,
        service: connection.service,
        secretUrl: credential.secret_url,
        secretPath: new URL(credential.secret_url).pathname,
        mcpPath: new URL(credential.mcp_url).pathname,
        apiKey: credential.api_key,
        text,
        credential: halves,
      };
    },
  };
}
