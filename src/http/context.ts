import type { Context } from "hono";
import type { Clock } from "../lib/clock.ts";
import type { Defer } from "../lib/defer.ts";
import type { DestinationPolicy } from "../lib/destination.ts";
import type { Limiter } from "../lib/limiter.ts";
import type { Log } from "../lib/log.ts";
import type { Outbound } from "../lib/outbound.ts";
import type { Random } from "../lib/random.ts";
import type { Billing } from "../billing/billing.ts";
import type { Room } from "../billing/room.ts";
import type { DeleteIdentity } from "../identity/clerk-users.ts";
import type { Verifier } from "../identity/verifier.ts";
import type { Mailer } from "../mail/mailer.ts";
import type { Desk } from "../support/zoho-desk.ts";
import type { PreRegistered } from "../connect/oauth-client.ts";
import type { OauthHttp } from "../oauth/http.ts";
import type { Guard } from "../defence/guard.ts";
import type { Catalogue } from "../services/index.ts";
import type { Stores } from "../store/index.ts";
import type { CredentialEnvironment } from "../vault/credential.ts";
import type { Keyring } from "../vault/keyring.ts";

/** Public facts of the deployment. */
export interface Site {
  readonly brand: string;
  readonly supportUrl: string | undefined;
  readonly publicUrl: string;
  /** Origins of the dashboard; the first is the one named in messages. */
  readonly adminUrls: readonly string[] & { readonly 0: string };
  readonly identity: "local" | "clerk" | "oidc" | "none";
  readonly clerkPublishableKey: string | undefined;
  /** What the page signs people in with at an OpenID Connect issuer. */
  readonly oidc:
    | { readonly issuer: string; readonly clientId: string; readonly audience: string }
    | undefined;
  /** What its operator says that it is made of; null where they say nothing. */
  readonly release: { readonly commit: string | null; readonly bundle: string | null };
}

/** Everything that a request's code may use. Made in `runtime.ts`, the composition root. */
export interface Runtime {
  readonly site: Site;
  readonly stores: Stores;
  readonly catalogue: Catalogue;
  readonly keyring: Keyring | undefined;
  readonly environment: CredentialEnvironment;
  readonly verify: Verifier;
  readonly deleteIdentity: DeleteIdentity;
  /** Ends what a workspace pays for, and forgets the customer. Throws where that has to be tried again. */
  readonly endBilling: (workspaceId: string) => Promise<void>;
  readonly maxUsers: number | undefined;
  /** How long audit events are kept where a workspace's plan does not say, days. */
  readonly auditDays: number;
  /** How long counts of calls are gathered, ms. */
  readonly usageWait: number;
  readonly outbound: Outbound;
  /** Undefined where mail is not configured. */
  readonly mailer: Mailer | undefined;
  /** Undefined where no messages to the operator are taken. */
  readonly desk: Desk | undefined;
  readonly oauth: OauthHttp;
  readonly preRegistered: ReadonlyMap<string, PreRegistered>;
  readonly localMode: boolean;
  /** Undefined: this deployment has no billing, and nothing is limited. */
  readonly billing: Billing | undefined;
  readonly room: Room;
  readonly destinations: DestinationPolicy;
  readonly limits: { readonly connection: Limiter; readonly user: Limiter };
  readonly guard: Guard;
  readonly times: { readonly headers: number; readonly response: number };
  readonly streamCheckBudget: number;
  /** Connections that one run of a background job works on, at most. */
  readonly backgroundBudget: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly defer: Defer;
}

export type AppEnv = { Bindings: { runtime: Runtime } };
export type AppContext = Context<AppEnv>;
