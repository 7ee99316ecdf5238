import { readConfig, type Config } from "./config.ts";
import type { Billing } from "./billing/billing.ts";
import { createStripeClient } from "./billing/client.ts";
import { endBilling } from "./billing/end.ts";
import { createPriceReader } from "./billing/price.ts";
import { createRoom } from "./billing/room.ts";
import { clerkUserDeletion, type DeleteIdentity } from "./identity/clerk-users.ts";
import { clerkIssuer, clerkProfile, localProfile, oidcProfile } from "./identity/profiles.ts";
import { createVerifier, type IssuerProfile } from "./identity/verifier.ts";
import { createGuard } from "./defence/guard.ts";
import type { Runtime, Site } from "./http/context.ts";
import { day, second, systemClock } from "./lib/clock.ts";
import { createDefer } from "./lib/defer.ts";
import type { DestinationPolicy } from "./lib/destination.ts";
import type { Limiter } from "./lib/limiter.ts";
import { bufferLog } from "./store/log-buffer.ts";
import { consoleLog, type Log } from "./lib/log.ts";
import { createOutbound, type Outbound } from "./lib/outbound.ts";
import { createOauthHttp } from "./oauth/http.ts";
import { createMailer, type Mailer } from "./mail/mailer.ts";
import { systemRandom } from "./lib/random.ts";
import { createCatalogue } from "./services/index.ts";
import { createStores } from "./store/index.ts";
import { createZohoDesk, type Desk } from "./support/zoho-desk.ts";

/** The platform's bindings. Variables and secrets are `config.ts`. */
export interface Bindings {
  readonly DB: D1Database;
  readonly BLOBS: KVNamespace;
  readonly CONNECTION_LIMIT: RateLimit;
  readonly MISS_LIMIT: RateLimit;
  readonly USER_LIMIT: RateLimit;
}

type Invocation = "log" | "log_events";

type Shared = Omit<Runtime, "log" | "defer">;

/** What an isolate makes once for its environment. A failed configuration is not kept: the next request tries again. */
let shared: { readonly env: Bindings; readonly parts: Shared } | undefined;

/**
 * Composes what one invocation may use. `sink` says where its log goes: where the path holds a credential the
 * platform's console, which attaches the URL to each line, must stay silent.
 */
export async function createRuntime(
  env: Bindings,
  ctx: ExecutionContext,
  sink: Invocation,
): Promise<Runtime> {
  if (shared?.env !== env) shared = { env, parts: await createShared(env) };
  const { parts } = shared;
  const waitUntil = (work: Promise<unknown>): void => ctx.waitUntil(work);
  const log: Log = sink === "log" ? consoleLog : bufferLog(parts.stores.logEvents, parts.clock, waitUntil);
  return { ...parts, log, defer: createDefer(waitUntil, log) };
}

async function createShared(env: Bindings): Promise<Shared> {
  const config = await readConfig(env);
  const destinations: DestinationPolicy = {
    allowLoopback: config.localMode,
    ownHosts: [...new Set([config.PUBLIC_URL, ...config.ADMIN_URL].map((url) => new URL(url).host))],
  };
  const outbound = createOutbound(destinations);
  const mailer = mailerOf(config, outbound);
  const billing = billingOf(config, outbound);
  // Of a workspace whose plan nobody has written down yet: where there is billing, it is in its trial.
  const auditDays = billing?.auditDays.trial ?? config.AUDIT_RETENTION_DAYS[2] ?? 90;
  const stores = createStores(env.DB, env.BLOBS, auditDays, mailer !== undefined);
  return {
    site: siteOf(config),
    stores,
    billing,
    room: createRoom({ stores, billing }),
    catalogue: createCatalogue({
      demoOrigin: config.DEMO_SERVICE_URL,
      paused: config.PAUSED_SERVICES,
      preRegistered: new Set(config.clients.keys()),
    }),
    keyring: config.keyring,
    environment: config.SECRET_ENV,
    verify: createVerifier(profilesOf(config, outbound)),
    deleteIdentity: deletionOf(config, outbound),
    endBilling: async (workspaceId) => await endBilling({ workspace_id: workspaceId }, { stores, billing }),
    maxUsers: config.MAX_USERS,
    auditDays,
    usageWait: config.USAGE_FLUSH_SECONDS * second,
    outbound,
    mailer,
    desk: deskOf(config, outbound),
    oauth: createOauthHttp(outbound),
    preRegistered: config.clients,
    localMode: config.localMode,
    destinations,
    limits: {
      connection: limiter(env.CONNECTION_LIMIT),
      user: limiter(env.USER_LIMIT),
    },
    guard: createGuard({
      blocks: stores.blocks,
      guesses: limiter(env.MISS_LIMIT),
      keyring: config.keyring,
      allowed: config.ALLOWED_ADDRESSES,
      clock: systemClock,
      random: systemRandom,
    }),
    times: {
      headers: config.UPSTREAM_TIMEOUT_SECONDS * second,
      response: config.RESPONSE_TIMEOUT_SECONDS * second,
    },
    streamCheckBudget: config.STREAM_CHECK_BUDGET,
    backgroundBudget: config.BACKGROUND_BUDGET,
    clock: systemClock,
    random: systemRandom,
  };
}

function billingOf(config: Config, outbound: Outbound): Billing | undefined {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret } = config;
  const { STRIPE_PRICE_CONNECTIONS: priceId, STRIPE_API_URL: apiUrl } = config;
  if (secretKey === undefined || webhookSecret === undefined || priceId === undefined) return undefined;
  const stripe = createStripeClient({ secretKey, apiUrl }, outbound);
  const [ended = 7, trial = 30, paid = 90] = config.AUDIT_RETENTION_DAYS;
  return {
    trial: config.TRIAL_DAYS * day,
    page: `${config.ADMIN_URL[0]}/#/billing`,
    priceId,
    webhookSecret,
    auditDays: { ended, trial, paid },
    stripe,
    price: createPriceReader(stripe, priceId, systemClock),
  };
}

function siteOf(config: Config): Site {
  return {
    brand: config.BRAND_NAME,
    supportUrl: config.SUPPORT_URL,
    publicUrl: config.PUBLIC_URL,
    adminUrls: config.ADMIN_URL,
    identity: identityOf(config),
    clerkPublishableKey: config.CLERK_PUBLISHABLE_KEY,
    oidc: oidcOf(config),
    release: { commit: config.COMMIT ?? null, bundle: config.BUNDLE_HASH ?? null },
  };
}

function oidcOf({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: clientId,
  OIDC_AUDIENCE: audience,
}: Config): Site["oidc"] {
  if (issuer === undefined || clientId === undefined || audience === undefined) return undefined;
  return { issuer, clientId, audience };
}

function identityOf(config: Config): Site["identity"] {
  if (config.CLERK_PUBLISHABLE_KEY !== undefined) return "clerk";
  if (config.OIDC_ISSUER !== undefined) return "oidc";
  return config.localMode ? "local" : "none";
}

function mailerOf(config: Config, outbound: Outbound): Mailer | undefined {
  const { SMTP2GO_API_KEY: apiKey, MAIL_SENDER: sender, ADMIN_NOTIFICATION_EMAIL: admin } = config;
  const { CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: publishableKey } = config;
  if (apiKey === undefined || sender === undefined) return undefined;
  const clerk =
    secretKey === undefined || publishableKey === undefined
      ? undefined
      : { secretKey, issuer: clerkIssuer(publishableKey) };
  return createMailer({ apiKey, sender, admin, clerk }, outbound);
}

function deskOf(config: Config, outbound: Outbound): Desk | undefined {
  const { ZOHO_DESK_ORG_ID: orgId, ZOHO_DESK_DEPARTMENT_ID: departmentId, ZOHO_REGION: region } = config;
  const {
    ZOHO_CLIENT_ID: clientId,
    ZOHO_CLIENT_SECRET: clientSecret,
    ZOHO_REFRESH_TOKEN: refreshToken,
  } = config;
  if (orgId === undefined || departmentId === undefined || clientId === undefined) return undefined;
  if (clientSecret === undefined || refreshToken === undefined) return undefined;
  const settings = { orgId, departmentId, region, clientId, clientSecret, refreshToken };
  return createZohoDesk(settings, outbound, systemClock);
}

function profilesOf(config: Config, outbound: Outbound): readonly IssuerProfile[] {
  const { LOCAL_IDENTITY_KEY: local, CLERK_PUBLISHABLE_KEY: clerk } = config;
  const deps = { outbound, clock: systemClock };
  const { OIDC_ISSUER: issuer, OIDC_JWKS_URL: jwksUrl, OIDC_AUDIENCE: audience } = config;
  return [
    ...(local === undefined ? [] : [localProfile(local, config.PUBLIC_URL)]),
    ...(clerk === undefined
      ? []
      : [
          clerkProfile(
            { publishableKey: clerk, jwksUrl: config.CLERK_JWKS_URL, authorizedParties: config.ADMIN_URL },
            deps,
          ),
        ]),
    ...(issuer === undefined || jwksUrl === undefined || audience === undefined
      ? []
      : [oidcProfile({ issuer, jwksUrl, audience }, deps)]),
  ];
}

/** Only Clerk's people can be deleted from here; without its secret key they stay, as at any other issuer. */
function deletionOf(config: Config, outbound: Outbound): DeleteIdentity {
  const { CLERK_SECRET_KEY: secretKey, CLERK_PUBLISHABLE_KEY: publishable } = config;
  if (secretKey === undefined || publishable === undefined) return async () => true;
  return clerkUserDeletion({ secretKey, issuer: clerkIssuer(publishable) }, outbound);
}

function limiter(binding: RateLimit): Limiter {
  return async (key) => (await binding.limit({ key })).success;
}
