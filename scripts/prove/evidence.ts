import { credentialKinds, serviceKinds, type Kind } from "./secrets.ts";

/** Where secrets are looked for. */
export const sinks = [
  "worker console",
  "platform trace",
  "D1 row",
  "audit row",
  "KV key",
  "KV value",
  "KV metadata",
  "answer body",
  "answer header",
  "mail",
  "request to a service",
  "output of this program",
] as const;
export type Sink = (typeof sinks)[number];

interface Rule {
  readonly kinds: readonly Kind[];
  readonly reason: string;
}

/** The places where a secret may be. Whatever is found anywhere else is a leak. */
const table = {
  "the answer that makes a credential": {
    kinds: credentialKinds,
    reason: "shown once, to the person who asked for it, and only the new one",
  },
  "the answer that begins a sign-in": {
    kinds: ["authorization state"],
    reason: "the person's browser carries it to the provider",
  },
  "the redirect to the page after a sign-in": {
    kinds: ["authorization state", "authorization code"],
    reason: "in the fragment, for the browser that brought it",
  },
  "the words of a provider's refusal": {
    kinds: ["authorization state"],
    reason: "shown to the person whose browser brought them",
  },
  "what a service answers to a call": {
    kinds: serviceKinds,
    reason: "its bytes are passed on untouched, to the holder of the credential",
  },
  "the header for the key in a call": {
    kinds: serviceKinds,
    reason: "what Bindify is for: to its own service alone",
  },
  "the request for tokens": {
    kinds: ["authorization code", "PKCE verifier", "OAuth refresh token", "OAuth client secret"],
    reason: "RFC 6749: to the token endpoint of its own issuer alone",
  },
  "the request to revoke": {
    kinds: ["OAuth access token", "OAuth refresh token", "OAuth client secret"],
    reason: "RFC 7009: to the revocation endpoint of its own issuer alone",
  },
  "the answer that makes an API token": {
    kinds: ["API token"],
    reason: "shown once, to the person who asked for it",
  },
  "the answer that leads to Stripe": {
    kinds: ["page at Stripe"],
    reason: "the person's browser goes there",
  },
  "the header for Stripe": {
    kinds: ["Stripe's secret key"],
    reason: "to Stripe's API alone",
  },
  "the request to Clerk": {
    kinds: ["Clerk's secret key"],
    reason: "in its header, to Clerk's API alone",
  },
  "the customer that is made at Stripe": {
    kinds: ["e-mail address"],
    reason: "the buyer's own, for receipts",
  },
  "the request to the mail provider": {
    kinds: ["mail provider's key", "e-mail address"],
    reason: "its own key in its header, and the recipient",
  },
  "the answer that gives a nonce": {
    kinds: ["nonce of a message"],
    reason: "to the person who asked for it: it lets them send one message",
  },
  "the request for Zoho's token": {
    kinds: ["Zoho's client secret", "Zoho's refresh token"],
    reason: "to Zoho's accounts server alone",
  },
  "the header for Zoho Desk": {
    kinds: ["Zoho's access token"],
    reason: "to Zoho Desk alone",
  },
  "the ticket at Zoho Desk": {
    kinds: ["message to the operator", "e-mail address"],
    reason: "what the person wrote, and where the answer goes",
  },
  "the record of a person": {
    kinds: ["e-mail address"],
    reason: "users.email, and the person's own GET /api/me",
  },
} as const satisfies Readonly<Record<string, Rule>>;
export type RuleName = keyof typeof table;
export const rules: Readonly<Record<RuleName, Rule>> = table;
export const ruleNames: readonly RuleName[] = Object.keys(table).filter((name) => isRule(name));

function isRule(name: string): name is RuleName {
  return Object.hasOwn(table, name);
}

export interface Allowance {
  readonly rule: RuleName;
  /** Only secrets of this owner; of anybody where it is not given. */
  readonly owner?: string;
}

/** Something that was seen, and what it may hold. */
export interface Evidence {
  readonly sink: Sink;
  readonly place: string;
  readonly text: string;
  readonly allowed: readonly Allowance[];
}

export interface Collected {
  readonly all: readonly Evidence[];
  /** The same text at the same place counts once. */
  add(sink: Sink, place: string, text: string, allowed?: readonly Allowance[]): void;
}

export function createCollection(): Collected {
  const all: Evidence[] = [];
  const seen = new Set<string>();
  return {
    all,
    add(sink, place, text, allowed = []) {
      const name = `${sink}\0${place}\0${text}`;
      if (text === "" || seen.has(name)) return;
      seen.add(name);
      all.push({ sink, place, text, allowed });
    },
  };
}

/** The rule by which a secret of this kind and owner may be where `allowed` says; undefined: it may not. */
export function ruleFor(kind: Kind, owner: string, allowed: readonly Allowance[]): RuleName | undefined {
  return allowed.find(
    ({ rule, owner: only }) => rules[rule].kinds.includes(kind) && (only === undefined || only === owner),
  )?.rule;
}
