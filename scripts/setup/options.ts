import { resolve } from "node:path";
import { Problem, readArguments } from "../lib/command.ts";
import { root } from "../lib/files.ts";

export const usage = `
npm run setup [-- OPTIONS]

Walks you through a first deployment to your Cloudflare account: signs wrangler in, creates the D1 database and the KV
namespace, writes wrangler.toml, applies the migrations, deploys, and sets the master key of managed storage. Each
command is shown before it runs, and asked for where it changes something. Stopped half-way, it goes on from there;
run again later, it deploys the present commit.

  --public-url URL       the address that people will use, such as https://bindify.example
  --clerk-key KEY        Clerk's publishable key (pk_live_…); or, for any other provider:
  --oidc-issuer URL --oidc-jwks-url URL --oidc-audience TEXT
  --location HINT        where the database is: weur, eeur, enam, wnam, apac or oc
  --jurisdiction NAME    keep the database's data in a jurisdiction: eu, us or fedramp
  --config PATH          the configuration to write; default wrangler.toml. Another one is a copy of
                         wrangler.toml.example with another name and database_name
  --yes                  run every command without asking; stops where it would replace or take over what is there
  --dry-run              only show the commands; nothing is run and nothing is written
  --help                 this text
`;

export interface Options {
  readonly config: string;
  readonly assumeYes: boolean;
  readonly isDryRun: boolean;
  /** Arguments of `d1 create` that say where. */
  readonly place: readonly string[];
  /** Values of [vars] that were given. */
  readonly given: Readonly<Record<string, string>>;
}

const variables = {
  "public-url": "PUBLIC_URL",
  "clerk-key": "CLERK_PUBLISHABLE_KEY",
  "oidc-issuer": "OIDC_ISSUER",
  "oidc-jwks-url": "OIDC_JWKS_URL",
  "oidc-audience": "OIDC_AUDIENCE",
} as const;

/** Reads the command line. @throws Problem */
export function readOptions(): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = readArguments({
    options: {
      "public-url": text,
      "clerk-key": text,
      "oidc-issuer": text,
      "oidc-jwks-url": text,
      "oidc-audience": text,
      location: text,
      jurisdiction: text,
      config: text,
      yes: flag,
      "dry-run": flag,
    },
  });
  const { location, jurisdiction } = values;
  if (location !== undefined && jurisdiction !== undefined)
    throw new Problem("--location and --jurisdiction exclude each other.");
  const given = Object.entries(variables).flatMap(([option, name]) => {
    const value = Object.entries(values).find(([key]) => key === option)?.[1];
    return typeof value === "string" ? [[name, value] as const] : [];
  });
  return {
    config: resolve(root, values.config ?? "wrangler.toml"),
    assumeYes: values.yes,
    isDryRun: values["dry-run"],
    place: [
      ...(location === undefined ? [] : ["--location", location]),
      ...(jurisdiction === undefined ? [] : ["--jurisdiction", jurisdiction]),
    ],
    given: Object.fromEntries(given),
  };
}
