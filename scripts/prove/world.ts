import { randomBytes } from "node:crypto";
import { parseCredential } from "../../src/vault/credential.ts";
import { startInstance, type Instance } from "../../test/support/node/instance.ts";
import type { SourcePatch } from "../../test/support/node/source-patches.ts";
import { signLocalToken } from "../lib/local-token.ts";
import { createAddresses } from "./addresses.ts";
import { createClerk, emailOf, isAtClerk } from "./clerk.ts";
import type { Dice } from "./dice.ts";
import { createCollection, type Allowance, type Collected } from "./evidence.ts";
import { createSecrets, type Secrets } from "./secrets.ts";
import { startSites, type SiteServer } from "./site-server.ts";
import type { Site } from "./site.ts";
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

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What its answer may hold, if it is ours. The list may grow until everything is judged. */
  readonly allowed?: readonly Allowance[];
  /** What its answer may hold, if it is a service's that was passed on. */
  readonly relayed?: readonly Allowance[];
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** A deployment under test with the services around it, and everything that was seen of it. */
export interface World {
  readonly instance: Instance;
  readonly sites: SiteServer;
  readonly stripe: StripeRelay;
  readonly secrets: Secrets;
  readonly collected: Collected;
  readonly storage: StorageView;
  readonly connections: Held[];
  /** Both master keys, as hexadecimal text; the second is active. */
  readonly masterKeys: readonly [string, string];
  readonly answers: Map<number, number>;
  /** A request from outside; what comes back is kept as evidence. */
  ask(place: string, url: string, asked?: Asked): Promise<Answered>;
  /** A request of a signed-in person. */
  api(
    place: string,
    user: string,
    path: string,
    asked?: Asked & { readonly json?: unknown },
  ): Promise<Answered>;
  /** Registers a new credential, and answers the name of its owner. */
  noteCredential(credential: HeldCredential): string;
  close(): Promise<void>;
}

export const people = ["ada", "ben", "cleo"] as const;
/** Whose sign-in tokens hold no e-mail address. */
const silent = "cleo";

/** Starts everything. `patches` change the worker: plants. */
export async function createWorld(dice: Dice, patches: readonly SourcePatch[] = []): Promise<World> {
  const secrets = createSecrets(dice.child());
  const collected = createCollection();
  const stripe = await startStripe(secrets);
  const clerk = createClerk(secrets);
  const sites = await startSites(secrets, collected, { stripe, clerk });
  const masterKeys = [randomBytes(32).toString("hex"), randomBytes(32).toString("hex")] as const;
  const [older, newer] = masterKeys.map((key) => ({ key }));
  const instance = await startInstance({
    demo: false,
    page: false,
    twin: true,
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
    },
    // A deployment that has not heard of the newer key yet: what it makes is there to be rotated.
    twinVariables: { MANAGED_ENCRYPTION_KEYS: JSON.stringify([newer, older]) },
    hosts: Object.fromEntries(["api.smtp2go.com", ...clerk.hosts].map((host) => [host, sites.url])),
    patches,
  });
  for (const key of masterKeys) {
    secrets.note("master key", "deployment", Buffer.from(key, "hex"));
    secrets.note("master key", "deployment", key);
  }
  const answers = new Map<number, number>();
  const nextAddress = createAddresses(dice.child(), secrets);

  const ask: World["ask"] = async (place, url, asked = {}) => {
    const { method = "GET", headers = {}, body, allowed = [], relayed = [] } = asked;
    const answer = await fetch(url, {
      method,
      // The platform says who calls.
      headers: { "cf-connecting-ip": nextAddress(), ...headers },
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
    const text = await textOf(answer);
    answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    // Only the services send this header: without it an answer is ours, and may not repeat them.
    const mine = answer.headers.get("mcp-prove") === "relayed" ? relayed : allowed;
    collected.add("answer body", place, text, mine);
    for (const [name, value] of answer.headers) {
      const passed = name === "location" || name.startsWith("mcp-");
      collected.add("answer header", `${name} of ${place}`, value, passed ? mine : []);
    }
    return { status: answer.status, headers: answer.headers, text };
  };

  return {
    instance,
    sites,
    stripe,
    secrets,
    collected,
    storage: createStorageView(instance, masterKeys, secrets, collected),
    connections: [],
    masterKeys,
    answers,
    ask,
    async api(place, user, path, { json, ...asked } = {}) {
      const email = emailOf(user);
      secrets.note("e-mail address", user, email);
      const token = isAtClerk(user)
        ? await clerk.sign(user, instance.url, user === silent ? undefined : email)
        : await signLocalToken(instance, user, email);
      secrets.note("identity token", user, token);
      const body = json === undefined ? asked.body : JSON.stringify(json);
      const type = body === undefined ? {} : { "content-type": "application/json" };
      return await ask(place, new URL(path, instance.url).href, {
        ...asked,
        headers: { authorization: `Bearer ${token}`, ...type, ...asked.headers },
        ...(body === undefined ? {} : { body }),
      });
    },
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
    async close() {
      await instance.close();
      await sites.close();
      await stripe.close();
    },
  };
}

/** What came of a body before its end or its break. */
async function textOf(answer: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  return text;
}
