import { toBase64Url } from "../lib/bytes.ts";
import { Fault } from "../lib/fault.ts";
import { openOwn } from "../grants/deployment-seal.ts";
import type { OauthGrant } from "../grants/grant.ts";
import { refreshPolicy } from "../grants/refresh-policy.ts";
import { revokeOrphan } from "../grants/revoke.ts";
import { exchangeCode, type TokenResult } from "../oauth/client.ts";
import type { Flows } from "../store/flows.ts";
import type { Caller } from "./caller.ts";
import type { Credential } from "../vault/credential.ts";
import { lookupOf } from "../vault/derive.ts";
import { serviceFor, type BeginDeps } from "./begin.ts";
import { hashState, isFlowSecret, type FlowSecret } from "./flow.ts";
import { mintConnection } from "./mint.ts";
import { isPresent, renewConnection, type RenewDeps, type Renewed } from "./renew.ts";

/** What the provider's redirect carried, as the page or program hands it in. */
export interface SignInAnswer {
  readonly state: string;
  readonly iss?: string | undefined;
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  readonly error_description?: string | undefined;
  /** The connection's present credential, to keep address and key when signing in again. */
  readonly credential?: Credential | undefined;
}

export type CompleteDeps = Omit<BeginDeps, "stores"> &
  Omit<RenewDeps, "stores"> & {
    readonly clock: () => number;
    readonly stores: BeginDeps["stores"] & RenewDeps["stores"] & { readonly flows: Flows };
  };

export interface SignedIn extends Renewed {
  /** Granted although it was not asked for: the person should know. */
  readonly extraScope: readonly string[];
}

/** Finishes a sign-in for the user who began it: nobody else's answer exchanges or stores anything. */
export async function completeSignIn(
  user: Caller,
  answer: SignInAnswer,
  deps: CompleteDeps,
): Promise<SignedIn> {
  // A mistyped credential must not cost the person the sign-in, so it is looked at before the flow is used up.
  if (answer.credential !== undefined) await checkPresented(user, answer.credential, deps);
  const flow = await takeFlow(user, answer.state, deps);
  // The issuer first: until it is right, nothing of the answer may be used or shown (RFC 9207 §2.4).
  checkIssuer(flow, answer.iss);
  if (answer.error !== undefined || answer.code === undefined) throw refusal(answer);
  await deps.room.require(user.workspace_id, flow.reauthorize);
  const service = serviceFor(flow.service, deps);
  const result = await exchangeCode(
    flow.source,
    { code: answer.code, redirectUri: flow.redirect_uri, verifier: flow.verifier },
    refreshPolicy(service).nested,
    { http: deps.oauth, clock: deps.clock },
  );
  if (result.kind === "error" && result.code === "invalid_client")
    await deps.stores.registrations.forget(flow.source.issuer, flow.source.client.id);
  const grant = grantOf(flow, result, service.name, service.endpoint.extra_headers, deps);
  try {
    const renewed =
      flow.reauthorize === null
        ? await connect(user, flow, grant, deps)
        : await renewConnection(
            user,
            flow.reauthorize,
            { grant, storage: flow.storage, present: answer.credential },
            deps,
          );
    deps.defer("settle_plan", deps.room.settle(user.workspace_id));
    return { ...renewed, extraScope: beyond(flow.scope, grant.scope) };
  } catch (error) {
    // Nobody holds these tokens but us, and we are about to forget them.
    deps.defer("revoke_grant", revokeOrphan(grant, user.workspace_id, service, deps));
    throw error;
  }
}

async function checkPresented(user: Caller, credential: Credential, deps: CompleteDeps): Promise<void> {
  const lookup = toBase64Url(await lookupOf(credential));
  const row = await deps.stores.connections.admit(lookup, []);
  const state = row?.workspace_id === user.workspace_id ? await deps.stores.grants.read(row.id) : null;
  if (state === null || !(await isPresent(credential, state))) throw new Fault("credential_mismatch");
}

async function takeFlow(user: Caller, state: string, deps: CompleteDeps): Promise<FlowSecret> {
  const stateHash = await hashState(state);
  const row = await deps.stores.flows.take(stateHash, user.id);
  if (row === null) throw new Fault("sign_in_unknown");
  const secret: unknown = JSON.parse(await openOwn(stateHash, "pkce-verifier", row, deps));
  if (!isFlowSecret(secret)) throw new Fault("sign_in_unknown");
  return secret;
}

function checkIssuer(flow: FlowSecret, iss: string | undefined): void {
  if (iss === undefined ? flow.iss_required : iss !== flow.source.issuer) throw new Fault("sign_in_mismatch");
}

const refusals: Readonly<Record<string, string>> = {
  access_denied:
    "You did not allow the access, or the service refused it. Begin again if that was a mistake.",
  invalid_scope:
    "The service does not grant the access that was asked for. Its catalogue entry may be out of date.",
  unauthorized_client:
    "The service does not let this client sign people in. It may admit approved clients only.",
  server_error: "The service had a problem of its own. Try again later.",
  temporarily_unavailable: "The service is busy. Try again in a few minutes.",
};

function refusal(answer: SignInAnswer): Fault {
  const code = /^[\w.-]{1,60}$/.test(answer.error ?? "") ? (answer.error ?? "") : "no code";
  const known = refusals[code];
  // RFC 6749 §4.1.2.1 allows plain ASCII; anything else is left out.
  const said = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,200}$/.exec(answer.error_description ?? "")?.[0];
  const reason = known ?? `The service answered ${code}.${said === undefined ? "" : ` It says: ${said}`}`;
  return new Fault("sign_in_refused", { params: { reason } });
}

function grantOf(
  flow: FlowSecret,
  result: TokenResult,
  service: string,
  extraHeaders: Readonly<Record<string, string>>,
  deps: CompleteDeps,
): OauthGrant {
  if (result.kind !== "tokens") throw new Fault("sign_in_unfinished", { params: { service } });
  const { tokens } = result;
  return {
    v: 1,
    kind: "oauth",
    url: flow.url,
    transport: "http",
    header: { name: "Authorization", prefix: "Bearer" },
    secret: tokens.access_token,
    extra_headers: extraHeaders,
    source: flow.source,
    refresh_token: tokens.refresh_token,
    // RFC 6749 §5.1: an answer without scope means that all that was asked for is granted.
    scope: tokens.scope ?? flow.scope,
    issued_at: deps.clock(),
    expires_at: tokens.expires_at,
  };
}

/** What of a granted scope was not asked for; where nothing was asked for, the server's choice is as expected. */
function beyond(asked: string | null, granted: string | null): readonly string[] {
  if (asked === null || granted === null) return [];
  const expected = new Set(asked.split(/[\s,]+/));
  return granted.split(/[\s,]+/).filter((scope) => scope !== "" && !expected.has(scope));
}

async function connect(
  user: Caller,
  flow: FlowSecret,
  grant: OauthGrant,
  deps: CompleteDeps,
): Promise<Renewed> {
  const { service, label, storage } = flow;
  return await mintConnection({ owner: user, service, label, kind: "oauth", storage, grant }, deps);
}
