import { toHex, utf8 } from "../../src/lib/bytes.ts";
import type { Canary } from "../../test/support/canary.ts";
import type { Dice } from "./dice.ts";

/** What must not leak. A new one is added here, and where it comes to be. */
export const kinds = [
  "service API key",
  "OAuth access token",
  "OAuth refresh token",
  "OAuth client secret",
  "authorization code",
  "authorization state",
  "PKCE verifier",
  "credential, first half",
  "credential, second half",
  "credential as API key",
  "credential as secret URL",
  "identity token",
  "e-mail address",
  "master key",
  "data key",
  "mail provider's key",
  "API token",
  "Stripe's secret key",
  "Stripe's webhook secret",
  "page at Stripe",
  "Clerk's secret key",
  "client's address",
  "Zoho's client secret",
  "Zoho's refresh token",
  "Zoho's access token",
  "message to the operator",
  "nonce of a message",
  "words of a storage error",
] as const;
export type Kind = (typeof kinds)[number];

/** The forms and halves of what a person holds. */
export const credentialKinds: readonly Kind[] = [
  "credential, first half",
  "credential, second half",
  "credential as API key",
  "credential as secret URL",
];
/** What a service takes for a call. */
export const serviceKinds: readonly Kind[] = ["service API key", "OAuth access token"];

/** A secret that was planted or came to be, and to what it belongs: another's place is not its own. */
export interface Planted extends Canary {
  readonly kind: Kind;
  readonly owner: string;
}

export interface Secrets {
  readonly all: readonly Planted[];
  /** A new secret in the form that its kind has. */
  make(kind: Kind, owner: string): string;
  /** One that came to be elsewhere. */
  note(kind: Kind, owner: string, value: string | Uint8Array): void;
}

/** Characters that some encodings change. */
const shapes: Partial<Record<Kind, (random: string) => string>> = {
  "service API key": (random) => `sk/${random}+${random.slice(0, 5)}==`,
  "authorization code": (random) => `4/0${random}~+`,
  "OAuth client secret": (random) => `cs~${random}/&%`,
  "Clerk's secret key": (random) => `sk_live_${random}`,
  "Stripe's secret key": (random) => `sk_test_${random}`,
  "Stripe's webhook secret": (random) => `whsec_${random}`,
  "Zoho's client secret": (random) => `zs~${random}/&%`,
  "Zoho's refresh token": (random) => `1000.${random}`,
  "Zoho's access token": (random) => `1000.${random}`,
};

export function createSecrets(dice: Dice): Secrets {
  const all: Planted[] = [];
  const known = new Set<string>();
  const note: Secrets["note"] = (kind, owner, value) => {
    const bytes = typeof value === "string" ? utf8(value) : value;
    const name = `${kind} ${toHex(bytes)}`;
    if (known.has(name)) return;
    known.add(name);
    all.push({ kind, owner, name: kind, bytes });
  };
  return {
    all,
    note,
    make(kind, owner) {
      const random = dice.text(28);
      const text = shapes[kind]?.(random) ?? `${kind.replaceAll(/\W/g, "")}_${random}`;
      note(kind, owner, text);
      return text;
    },
  };
}
