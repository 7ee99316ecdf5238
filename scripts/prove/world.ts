import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseCredential } from "../../src/vault/credential.ts";
import { startInstance, type Instance } from "../../test/support/node/instance.ts";
import type { SourcePatch } from "../../test/support/node/source-patches.ts";
import { createAddresses } from "./addresses.ts";
import { createClerk } from "./clerk.ts";
import { createDeskDouble, type DeskDouble } from "./desk-double.ts";
import type { Dice } from "./dice.ts";
import { createCollection, type Collected } from "./evidence.ts";
import { createMailDouble, type MailDouble } from "./mail-double.ts";
import { createRequests, type RequestDeps, type Requests } from "./requests.ts";
import { createSecrets, type Secrets } from "./secrets.ts";
import { startSites, type SiteServer } from "./site-server.ts";
import type { Site } from "./site.ts";
import { failuresAt, runFaultySchedule, type DrawFaults } from "./storage-faults.ts";
import { startStripe, type StripeRelay } from "./stripe-relay.ts";
import { createStorageView, type StorageView } from "./storage-view.ts";

/** A connection that a run made, and what its holder holds. */
export interface Held {
  readonly id: string;
  readonly user: string;
  readonly site: Site;
  readonly kind: "key" | "oauth";
  readonly storage: Storage;
  /** Replaced when it is made anew. */
  credential: HeldCredential;
  ended: boolean;
}

export interface HeldCredential {
  readonly secretUrl: string;
  readonly apiKey: string;
  readonly mcpUrl: string;
}

export type Storage = "zero_knowledge" | "managed";

/** A deployment under test with the services around it, and everything that was seen of it. */
export interface World extends Requests {
  readonly instance: Instance;
  readonly sites: SiteServer;
  readonly stripe: StripeRelay;
  readonly mail: MailDouble;
  readonly desk: DeskDouble;
  readonly secrets: Secrets;
  readonly collected: Collected;
  readonly storage: StorageView;
  readonly connections: Held[];
  /** Both master keys, as hexadecimal text; the second is active. */
  readonly masterKeys: readonly [string, string];
  readonly answers: Map<number, number>;
  /** Registers a new credential, and answers the name of its owner. */
  noteCredential(credential: HeldCredential): string;
  /**
   * The same world for an operation during which storage fails. Its requests go to the twin: an invocation with a fault
   * has the isolate forget what it knew, and the other isolate's memory is part of what is proven.
   */
  whileStorageFails(draw: DrawFaults): World;
  /** How often each operation on storage was made to fail. */
  storageFailures(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

export const people = ["ada", "ben", "cleo"] as const;

/** The clients that the deployment and its twin are at Zoho. */
export const deskClients = { own: "1000.CLIENT", twin: "1000.TWIN" } as const;

const worker = fileURLToPath(new URL("../../test/support/faulty-worker.ts", import.meta.url));

/** Starts everything. `patches` change the worker: plants. */
export async function createWorld(dice: Dice, patches: readonly SourcePatch[] = []): Promise<World> {
  const secrets = createSecrets(dice.child());
  const collected = createCollection();
  const stripe = await startStripe(secrets);
  const [clerk, mail, desk] = [createClerk(secrets), createMailDouble(), createDeskDouble(secrets)];
  const sites = await startSites(secrets, collected, [mail, clerk, stripe, desk]);
  const masterKeys = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")] as const;
  const [older, newer] = masterKeys.map((key) => ({ key }));
  const hosts = ["api.smtp2go.com", ...clerk.hosts, ...desk.hosts];
  const instance = await startInstance({
    demo: false,
    page: false,
    twin: true,
    entry: worker,
    variables: {
      MANAGED_ENCRYPTION_KEYS: JSON.stringify([older, newer]),
      SMTP2GO_API_KEY: secrets.make("mail provider's key", "deployment"),
      MAIL_SENDER: "Bindify <mail@bindify.example>",
      ADMIN_NOTIFICATION_EMAIL: "admin@bindify.example",
      GITHUB_CLIENT_ID: "operators-client",
      GITHUB_CLIENT_SECRET: secrets.make("OAuth client secret", "deployment"),
      UPSTREAM_TIMEOUT_SECONDS: "1",
      BACKGROUND_BUDGET: "50",
      CLERK_PUBLISHABLE_KEY: clerk.publishableKey,
      CLERK_SECRET_KEY: clerk.secretKey,
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
      STRIPE_PRICE_CONNECTIONS: "price_connections",
      STRIPE_API_URL: sites.url,
      ZOHO_DESK_ORG_ID: "60001",
      ZOHO_DESK_DEPARTMENT_ID: "7000000000001",
      ZOHO_REGION: "eu",
      ZOHO_CLIENT_ID: deskClients.own,
      ZOHO_CLIENT_SECRET: desk.clientSecret,
      ZOHO_REFRESH_TOKEN: desk.refreshToken,
    },
    twinVariables: {
      // A deployment that has not heard of the newer key yet: what it makes is there to be rotated.
      MANAGED_ENCRYPTION_KEYS: JSON.stringify([newer, older]),
      ZOHO_CLIENT_ID: deskClients.twin,
    },
    hosts: Object.fromEntries(hosts.map((host) => [host, sites.url])),
    patches,
  });
  for (const key of masterKeys) {
    secrets.note("master key", "deployment", Buffer.from(key, "hex"));
    secrets.note("master key", "deployment", key);
  }
  const answers = new Map<number, number>();
  const nextAddress = createAddresses(dice.child(), secrets);
  const deps: RequestDeps = { instance, clerk, secrets, collected, answers, nextAddress };

  const world: World = {
    instance,
    sites,
    stripe,
    mail,
    desk,
    secrets,
    collected,
    storage: createStorageView(instance, masterKeys, secrets, collected),
    connections: [],
    masterKeys,
    answers,
    ...createRequests(deps),
    noteCredential({ secretUrl, apiKey }) {
      const text = secretUrl.slice(secretUrl.lastIndexOf("/") + 1);
      const credential = parseCredential(text);
      if (credential === undefined) throw new Error("an answer holds no credential where one was expected");
      const owner = Buffer.from(credential.id).toString("hex");
      secrets.note("credential, first half", owner, credential.id);
      secrets.note("credential, second half", owner, credential.key);
      secrets.note("credential as API key", owner, apiKey);
      secrets.note("credential as secret URL", owner, secretUrl);
      return owner;
    },
    whileStorageFails: (draw) => {
      const runCron = async (): Promise<void> => {
        const plan = draw("jobs");
        if (plan === undefined) await instance.runCron();
        else await runFaultySchedule(instance.twinUrl, plan);
      };
      return { ...world, ...createRequests(deps, draw), instance: { ...instance, runCron } };
    },
    storageFailures: () => failuresAt(instance.twinUrl),
    async close() {
      await instance.close();
      await sites.close();
      await stripe.close();
    },
  };
  return world;
}
