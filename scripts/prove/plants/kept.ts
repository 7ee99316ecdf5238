import { refusedCalls } from "../operations/calling.ts";
import { regenerate } from "../operations/changing.ts";
import { signIn } from "../operations/connecting.ts";
import { callingWith, refreshingWith, type Plant } from "./plant.ts";

/** What is stored. */
export const kept: readonly Plant[] = [
  {
    name: "a stored log line quotes half a credential",
    file: "http/mcp.ts",
    find: 'runtime.log({ event: "request_refused", route, fault: fault.code });',
    replace:
      'runtime.log({ event: "request_crashed", route, error: (address.credential ?? "none").slice(0, 43) });',
    operations: [refusedCalls],
    sink: "D1 row",
    place: /^log_events\.line$/,
  },
  {
    name: "a column keeps the key of a service",
    file: "connect/mint.ts",
    find: 'issuer: wanted.grant.kind === "oauth" ? wanted.grant.source.issuer : null,',
    replace: "issuer: encodeURIComponent(wanted.grant.secret),",
    operations: [],
    sink: "D1 row",
    place: /^connections\.issuer$/,
  },
  {
    name: "a column keeps a refresh token",
    file: "grants/ask-provider.ts",
    find: "scope: tokens.scope ?? grant.scope,",
    replace: 'scope: "read " + tokens.refresh_token,',
    operations: [refreshingWith("tokens")],
    sink: "D1 row",
    place: /^connections\.scope$/,
  },
  {
    name: "a sign-in on its way keeps its PKCE verifier in clear",
    file: "connect/begin.ts",
    find: "    return_to: returnTo,",
    replace: '    return_to: returnTo + "#" + secret.verifier,',
    operations: [],
    sink: "D1 row",
    place: /^flows\.return_to$/,
  },
  {
    name: "a registration keeps the client's secret in clear",
    file: "connect/oauth-client.ts",
    find: "    client_id: registration.client.id,",
    replace: '    client_id: registration.client.id + "." + registration.client.secret,',
    operations: Array.from({ length: 6 }, () => signIn),
    sink: "D1 row",
    place: /^client_registrations\.client_id$/,
  },
  {
    name: "a value in KV is not sealed",
    file: "connect/mint.ts",
    find: "generation: 1, fence: 0 }, blob)",
    replace: "generation: 1, fence: 0 }, JSON.stringify(wanted.grant))",
    operations: [],
    sink: "KV value",
    place: /value of t/,
  },
  {
    name: "a key in KV names half a credential",
    file: "connect/renew.ts",
    find: "deps.stores.blobs.put({ connectionId: state.id, generation, fence: lease.fence }, blob)",
    replace:
      'deps.stores.blobs.put({ connectionId: credential === "managed" ? state.id : toBase64Url(credential.id), generation, fence: lease.fence }, blob)',
    operations: Array.from({ length: 8 }, () => regenerate),
    sink: "KV key",
    place: /key/,
  },
  {
    name: "metadata in KV names a master key",
    file: "runtime.ts",
    find: "  const config = await readConfig(env);",
    replace:
      '  const config = await readConfig(env); await env.BLOBS.put("m/1", "1", { metadata: { keys: String(env.MANAGED_ENCRYPTION_KEYS).slice(0, 300) } });',
    operations: [],
    sink: "KV metadata",
    place: /metadata/,
  },
  {
    name: "the audit log keeps a refresh token",
    file: "grants/ask-provider.ts",
    find: 'await deps.stores.grants.postpone(lease, delay, repeated, deps.by ?? "request");',
    replace: "await deps.stores.grants.postpone(lease, delay, repeated, grant.refresh_token);",
    operations: [refreshingWith("503")],
    sink: "audit row",
    place: /^audit_/,
  },
  {
    name: "a grant is sealed and kept in clear beside it",
    file: "grants/grant.ts",
    find: "  return toBase64Url(envelope);",
    replace: '  return toBase64Url(envelope) + "." + toBase64Url(utf8(JSON.stringify(grant)));',
    operations: [],
    sink: "KV value",
    place: /value of t/,
  },
  {
    name: "a column keeps a token that a service calls a scope",
    file: "proxy/forward.ts",
    find: " && !challenge.scope.includes(grant.secret)",
    replace: "",
    operations: Array.from({ length: 4 }, () => callingWith("more access")),
    sink: "D1 row",
    place: /^connections\.wanted_scope$/,
  },
];
