import { z } from "zod";
import { endpointUrl, issuerId, line, pageUrl } from "./text.ts";

const seconds = z.int().positive();

/** Known addresses of the authorization server. With `discovery: "auto"` they are what to expect, not what is used. */
const authorizationServer = z.strictObject({
  issuer: issuerId.optional(),
  authorization: endpointUrl.optional(),
  token: endpointUrl.optional(),
  registration: endpointUrl.optional(),
  revocation: endpointUrl.optional(),
});

/** What is known of the tokens. An absent number is unknown: the engine then relies on what the answers say. */
const refreshPolicy = z.strictObject({
  /** `rotating`: each use answers a new refresh token; `fixed`: the same one serves again; `none`: none is issued. */
  rotation: z.enum(["rotating", "fixed", "none", "unknown"]).default("unknown"),
  /** Life of an access token. */
  ttl_s: seconds.optional(),
  refresh_ttl_s: seconds.optional(),
  /** How long a refresh token that was used already is answered again. */
  grace_s: seconds.optional(),
  /** The refresh token before the newest one works too, without a stated limit in time. */
  previous_stays_valid: z.boolean().default(false),
  /** What the service does when a used refresh token comes back after the grace. */
  reuse: z.enum(["revokes_app", "revokes_grant", "unknown"]).default("unknown"),
  /** The answer to a repeat inside the grace carries no refresh token: the one of the lost answer stays lost. */
  grace_without_refresh_token: z.boolean().default(false),
});

const revocation = z
  .strictObject({
    /** `rfc7009`: at `url`, else at the metadata's revocation_endpoint; `unknown`: at the metadata's, if it names one. */
    style: z.enum(["rfc7009", "own", "none", "unknown"]).default("unknown"),
    url: endpointUrl.optional(),
    /** The request of style `own`; `{client_id}` and `{access_token}` are filled in. */
    request: z
      .strictObject({
        method: z.enum(["POST", "DELETE"]),
        url: z.string().regex(/^https:\/\/[a-z0-9.-]+\/[\w./{}-]*$/),
        authentication: z.enum(["client_basic", "bearer"]),
        body: z.record(z.string(), z.string()).optional(),
      })
      .optional(),
    /** What one revocation ends: this token's grant, or every grant of the app for that person. */
    scope: z.enum(["token", "app_user", "unknown"]).default("unknown"),
    /** The service's own page on which a person sees and ends what they granted. */
    manage_url: pageUrl.optional(),
  })
  .refine((value) => (value.style === "own") === (value.request !== undefined), {
    error: "style `own` and `request` belong together",
  });

export const oauthSchema = z
  .strictObject({
    discovery: z.enum(["auto", "pinned"]).default("auto"),
    server: authorizationServer.prefault({}),
    /** Without protected-resource metadata, is the MCP origin its own authorization server (revision 2025-03-26)? */
    origin_fallback: z.boolean().default(true),
    /** Spellings of the issuer that the service uses besides the real one, each accepted only here. */
    issuer_aliases: z.array(z.strictObject({ advertised: issuerId, issuer: issuerId })).default([]),
    /** Ways to become a client, tried in this order. */
    clients: z.array(z.enum(["pre_registered", "cimd", "dcr"])).min(1),
    /** A person may bring the id and secret of an app of their own. */
    own_client: z
      .strictObject({
        secret: z.enum(["required", "optional"]),
        create_url: pageUrl.optional(),
        instructions: z.array(line).default([]),
      })
      .optional(),
    /** `allow_list`: registering by CIMD or DCR works only for redirect addresses that the service has approved. */
    redirect: z.enum(["any", "allow_list", "unknown"]).default("unknown"),
    /** In order of preference; empty: as the metadata says. `["none"]` registers a public client. */
    token_auth_methods: z.array(z.enum(["none", "client_secret_basic", "client_secret_post"])).default([]),
    /** S256 is always sent. `supported`: accepted although metadata may not announce it; `required`: it must. */
    pkce: z.enum(["required", "supported"]).default("required"),
    /** RFC 8707 `resource`; some servers reject the parameter. */
    resource: z.enum(["send", "omit"]).default("send"),
    /** Asked for; empty: the challenge's, else the metadata's. */
    scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).default([]),
    /** Add the metadata's `scopes_supported` to `scopes`. */
    scopes_from_metadata: z.boolean().default(false),
    scope_separator: z.enum([" ", ","]).default(" "),
    authorize_params: z.record(z.string().regex(/^\w+$/), z.string()).default({}),
    /** Dotted path of the object that may hold the tokens; they are looked for there first, then at the top. */
    token_response_path: z.string().optional(),
    /** Error codes of the token endpoint that mean, besides `invalid_grant`, that only a new sign-in helps. */
    permanent_errors: z.array(z.string()).default([]),
    refresh: refreshPolicy.prefault({}),
    revocation: revocation.prefault({}),
  })
  .refine(
    ({ discovery, server }) =>
      discovery === "auto" || (server.issuer && server.authorization && server.token) !== undefined,
    { error: "pinned discovery needs issuer, authorization and token endpoint" },
  );

export type OauthInput = z.input<typeof oauthSchema>;
