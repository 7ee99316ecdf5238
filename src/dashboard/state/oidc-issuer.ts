/** The two requests that go to an OpenID Connect issuer from this page. */
import * as z from "zod/mini";
import { claimsOf } from "../jwt.ts";

const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url({ protocol: /^https$/ }),
  token_endpoint: z.url({ protocol: /^https$/ }),
  response_modes_supported: z.optional(z.array(z.string())),
});

const tokensSchema = z.object({
  id_token: z.optional(z.string()),
  access_token: z.optional(z.string()),
  refresh_token: z.optional(z.string()),
});
export type Tokens = z.infer<typeof tokensSchema>;

interface Client {
  client_id: string;
  token_endpoint: string;
}

/** Undefined where the issuer refused, or did not answer. */
export async function exchange(client: Client, form: Record<string, string>): Promise<Tokens | undefined> {
  try {
    const response = await fetch(client.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({ ...form, client_id: client.client_id }),
      credentials: "omit",
      redirect: "error",
      signal: AbortSignal.timeout(20_000),
    });
    return response.ok ? tokensSchema.parse(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

/** The one that names the audience; the server takes no other. */
export function chooseToken(tokens: Tokens, audience: string): string | undefined {
  const candidates = [tokens.id_token, tokens.access_token].filter((token) => token !== undefined);
  const named = candidates.find((token) => [claimsOf(token).aud ?? []].flat().includes(audience));
  return named ?? tokens.access_token ?? tokens.id_token;
}

/** Its own description of itself (OpenID Connect Discovery §4). */
export async function discover(issuer: string) {
  const address = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const response = await fetch(address, { credentials: "omit", signal: AbortSignal.timeout(20_000) });
  const metadata = metadataSchema.parse(await response.json());
  if (metadata.issuer !== issuer) throw new Error("another issuer");
  return metadata;
}
