import { z } from "zod";
import { isAddressRange } from "./defence/allow-list.ts";
import { clerkIssuer } from "./identity/profiles.ts";
import { Fault } from "./lib/fault.ts";
import { isLoopback } from "./lib/destination.ts";
import { zohoRegions } from "./support/zoho-desk.ts";
import { parseKeyring, type Keyring } from "./vault/keyring.ts";

const origin = z.string().refine((text) => URL.canParse(text) && new URL(text).origin === text, {
  error: "must be an origin such as https://bindify.example, without a path or a final slash",
});

const jwk = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "must be a JSON Web Key" });
      return z.NEVER;
    }
  })
  .pipe(z.strictObject({ kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: z.string(), kid: z.string() }));

const wholeNumber = z.coerce.number().int().positive();

const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .pipe(z.array(item));

/** Every variable that the worker reads. Bindings (`DB`, `BLOBS`, …) are not here: see `runtime.ts`. */
export const configSchema = z.object({
  PUBLIC_URL: origin.meta({
    description: "Origin under which this worker is reached; secret URLs start with it.",
  }),
  ADMIN_URL: list(origin).optional().meta({
    description:
      "Origins of the dashboard, comma-separated; default PUBLIC_URL. The first is named in messages.",
  }),
  SECRET_ENV: z.enum(["live", "test"]).default("live").meta({
    description: "Marks API keys as bnd_live_… or bnd_test_…; keys of one are refused by the other.",
  }),
  BRAND_NAME: z.string().min(1).max(60).default("Bindify").meta({
    description: "The name shown to people and given to services.",
  }),
  SUPPORT_URL: z
    .url({ protocol: /^(https|mailto)$/ })
    .optional()
    .meta({
      description: "Where people get help; shown in the page.",
    }),
  PAUSED_SERVICES: list(z.string()).optional().meta({
    description: "Ids of services to pause, comma-separated: their calls get a sentence, nothing is lost.",
  }),
  ALLOWED_ADDRESSES: list(
    z.string().refine(isAddressRange, { error: "must be addresses or ranges such as 192.0.2.0/24" }),
  )
    .optional()
    .meta({
      description:
        "Addresses and ranges, comma-separated, that are never blocked for asking too often for what is not there.",
    }),
  UPSTREAM_TIMEOUT_SECONDS: wholeNumber.max(3600).default(300).meta({
    description: "How long a service may take until its answer begins.",
  }),
  RESPONSE_TIMEOUT_SECONDS: wholeNumber.max(86_400).default(900).meta({
    description: "How long an answer that is not an event stream may take as a whole.",
  }),
  STREAM_CHECK_BUDGET: wholeNumber
    .max(900)
    .default(40)
    .meta({
      description:
        "How often an open event stream asks whether its connection still exists before it asks its client to " +
        "reconnect; 40 fits the free plan's 50 queries per invocation, 900 the paid plan's 1,000.",
    }),
  BACKGROUND_BUDGET: wholeNumber
    .max(50)
    .default(3)
    .meta({
      description:
        "How many managed connections one run of the minute job renews or checks at most; other jobs do more with " +
        "more too. Each takes some eight queries, twice that where a provider does not answer: 3 fits the free " +
        "plan's 50 per invocation, 50 the paid plan's 1,000.",
    }),
  MANAGED_ENCRYPTION_KEYS: z.string().optional().meta({
    description: 'Master keys of managed storage: [{"key":"<64 hex>"}, …], the last is active.',
  }),
  MANAGED_ENCRYPTION_MASTER_KEY: z.string().optional().meta({
    description: "A single master key, 64 hex characters; the older form of MANAGED_ENCRYPTION_KEYS.",
  }),
  AUDIT_RETENTION_DAYS: z
    .string()
    .regex(/^\d{1,4},\d{1,4},\d{1,4}$/)
    .default("7,30,90")
    .transform((text) => text.split(",").map(Number))
    .meta({
      description:
        "Days that audit events are kept: after a plan ended, in a trial, and while a plan is paid. Without billing " +
        "the third counts for everybody.",
    }),
  SMTP2GO_API_KEY: z.string().min(1).optional().meta({
    description: "Sends mail through SMTP2GO; without it reminders show in the page alone.",
  }),
  MAIL_SENDER: z.string().min(3).max(200).optional().meta({
    description: "Sender of mail, such as Bindify <mail@bindify.example>; needed with SMTP2GO_API_KEY.",
  }),
  ADMIN_NOTIFICATION_EMAIL: z.email().optional().meta({
    description: "Who is told when a master key that stored data needs is missing.",
  }),
  ZOHO_DESK_ORG_ID: z
    .string()
    .regex(/^\d{1,20}$/, { error: "must be a number" })
    .optional()
    .meta({
      description:
        "Organization at Zoho Desk; with the other ZOHO_ variables the page has a support form that files tickets there.",
    }),
  ZOHO_DESK_DEPARTMENT_ID: z
    .string()
    .regex(/^\d{1,25}$/, { error: "must be a number" })
    .optional()
    .meta({
      description: "Department at Zoho Desk that tickets go to; needed with ZOHO_DESK_ORG_ID.",
    }),
  ZOHO_REGION: z.enum(zohoRegions).default("com").meta({
    description: "Where the organization's data is: com, eu, in, com.au, jp, com.cn, sa, uk or ca.",
  }),
  ZOHO_CLIENT_ID: z.string().min(1).max(500).optional().meta({
    description: "Self client at Zoho with the scope Desk.tickets.CREATE; needed with ZOHO_DESK_ORG_ID.",
  }),
  ZOHO_CLIENT_SECRET: z.string().min(1).max(500).optional().meta({
    description: "Secret of ZOHO_CLIENT_ID.",
  }),
  ZOHO_REFRESH_TOKEN: z.string().min(1).max(1000).optional().meta({
    description: "Refresh token that Zoho gave ZOHO_CLIENT_ID; tickets are filed in its person's name.",
  }),
  MAX_USERS: wholeNumber.optional().meta({
    description: "How many people may sign up; without it, any number. Who is there already stays.",
  }),
  USAGE_FLUSH_SECONDS: z.coerce.number().int().min(0).max(25).default(20).meta({
    description:
      "How long counts of calls are gathered before they are written; 0 writes them with a later call only.",
  }),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^(sk|rk)_(test|live)_\w+$/, { error: "must look like sk_live_… or rk_live_…" })
    .optional()
    .meta({
      description: "Stripe's API key; with the other two variables it turns billing on.",
    }),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_\w+$/, { error: "must look like whsec_…" })
    .optional()
    .meta({
      description: "Signs the events that Stripe delivers to PUBLIC_URL/webhooks/stripe.",
    }),
  STRIPE_PRICE_CONNECTIONS: z
    .string()
    .regex(/^price_\w+$/, { error: "must look like price_…" })
    .optional()
    .meta({
      description: "Id of the recurring price of one connection at Stripe, graduated or flat.",
    }),
  STRIPE_API_URL: origin.optional().meta({
    description: "Origin of a stand-in for Stripe's API on this machine; only with LOCAL_IDENTITY_KEY.",
  }),
  TRIAL_DAYS: wholeNumber.max(365).default(5).meta({
    description: "Days that everything is free at first, where there is billing.",
  }),
  OIDC_ISSUER: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({
      description: "Issuer of the sign-in tokens (any OpenID Connect provider).",
    }),
  OIDC_JWKS_URL: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({
      description: "Where the issuer publishes its signing keys; needed with OIDC_ISSUER.",
    }),
  OIDC_AUDIENCE: z.string().min(1).optional().meta({
    description: "Audience that sign-in tokens must name; needed with OIDC_ISSUER.",
  }),
  OIDC_CLIENT_ID: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .meta({
      description:
        "Public client (code with PKCE, no secret) that the page signs people in with at OIDC_ISSUER; its redirect " +
        "address is the page's origin and a slash. Without it the JSON API alone takes the issuer's tokens.",
    }),
  CLERK_PUBLISHABLE_KEY: z
    .string()
    .regex(/^pk_(test|live)_[A-Za-z0-9+/=]+$/)
    .optional()
    .meta({
      description: "Clerk's publishable key; issuer and signing keys follow from it.",
    }),
  CLERK_JWKS_URL: z
    .url({ protocol: /^https$/ })
    .optional()
    .meta({
      description: "Clerk's signing keys, where they are not at the host in the publishable key.",
    }),
  CLERK_SECRET_KEY: z
    .string()
    .regex(/^sk_(test|live)_\S+$/)
    .optional()
    .meta({
      description:
        "Clerk's secret key: finds the address of people whose sign-in tokens hold none, and deletes the person at Clerk " +
        "when an account is deleted; needs CLERK_PUBLISHABLE_KEY.",
    }),
  LOCAL_IDENTITY_KEY: jwk.optional().meta({
    description:
      "Public Ed25519 key (JWK) of the key pair that `npm start` generates; with it a loopback deployment signs " +
      "its owner in without a provider. Refused unless PUBLIC_URL is a loopback address.",
  }),
  COMMIT: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/, { error: "must be the hexadecimal id of a commit" })
    .optional()
    .meta({
      description: "The commit that was deployed; `/version` repeats it.",
    }),
  BUNDLE_HASH: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: "must be 64 hexadecimal digits" })
    .optional()
    .meta({
      description: "What `npm run bundle-hash` printed of the deployed commit; `/version` repeats it.",
    }),
  DEMO_SERVICE_URL: origin.optional().meta({
    description: "Origin of the demo service that `npm start` runs; only with LOCAL_IDENTITY_KEY.",
  }),
});

/** Variables that are set with `wrangler secret put`, not in `wrangler.toml`. */
export const secretNames: readonly (keyof typeof configSchema.shape)[] = [
  "SMTP2GO_API_KEY",
  "CLERK_SECRET_KEY",
  "STRIPE_SECRET_KEY",
  "STRIPE_WEBHOOK_SECRET",
  "ZOHO_CLIENT_SECRET",
  "ZOHO_REFRESH_TOKEN",
  "MANAGED_ENCRYPTION_KEYS",
  "MANAGED_ENCRYPTION_MASTER_KEY",
];

type Variables = z.output<typeof configSchema>;

type Replaced =
  | "ADMIN_URL"
  | "ALLOWED_ADDRESSES"
  | "PAUSED_SERVICES"
  | "MANAGED_ENCRYPTION_KEYS"
  | "MANAGED_ENCRYPTION_MASTER_KEY";

export interface Config extends Omit<Variables, Replaced> {
  readonly ADMIN_URL: readonly string[] & { readonly 0: string };
  readonly ALLOWED_ADDRESSES: readonly string[];
  readonly PAUSED_SERVICES: readonly string[];
  readonly keyring: Keyring | undefined;
  /** The operator's OAuth clients by service id, from `{SERVICE}_CLIENT_ID` and `{SERVICE}_CLIENT_SECRET`. */
  readonly clients: ReadonlyMap<string, { readonly id: string; readonly secret: string | undefined }>;
  /** Loopback targets and local sign-in are allowed. */
  readonly localMode: boolean;
}

/** Reads the environment, or throws `misconfigured`, naming the variable and never its value. */
export async function readConfig(env: unknown): Promise<Config> {
  const parsed = configSchema.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw misconfigured(String(issue?.path[0] ?? "environment"), issue?.message ?? "not valid");
  }
  const { MANAGED_ENCRYPTION_KEYS, MANAGED_ENCRYPTION_MASTER_KEY, ...variables } = parsed.data;
  const localMode = checkLocal(variables);
  checkPairs(variables);
  checkStripe(variables, localMode);
  checkZoho(variables);
  const [admin = variables.PUBLIC_URL, ...others] = variables.ADMIN_URL ?? [];
  return {
    ...variables,
    ADMIN_URL: [admin, ...others],
    ALLOWED_ADDRESSES: variables.ALLOWED_ADDRESSES ?? [],
    PAUSED_SERVICES: variables.PAUSED_SERVICES ?? [],
    clients: readClients(env),
    keyring: await readKeyring(MANAGED_ENCRYPTION_KEYS, MANAGED_ENCRYPTION_MASTER_KEY),
    localMode,
  };
}

/** `GITHUB_CLIENT_ID` configures the service `github`, `GOOGLE_DRIVE_CLIENT_ID` the service `google-drive`. */
function readClients(env: unknown): Config["clients"] {
  const values = new Map(Object.entries(z.record(z.string(), z.unknown()).parse(withoutEmpty(env))));
  const clients = new Map<string, { id: string; secret: string | undefined }>();
  for (const [name, id] of values) {
    const service = /^([A-Z0-9_]+)_CLIENT_ID$/.exec(name)?.[1];
    // OIDC_CLIENT_ID is the page's own, ZOHO_CLIENT_ID the support form's.
    if (service === undefined || name in configSchema.shape) continue;
    const secret = values.get(`${service}_CLIENT_SECRET`);
    if (typeof id !== "string") throw misconfigured(name, "must be text");
    if (secret !== undefined && typeof secret !== "string")
      throw misconfigured(`${service}_CLIENT_SECRET`, "must be text");
    clients.set(service.toLowerCase().replaceAll("_", "-"), { id, secret });
  }
  return clients;
}

/** An empty variable means "not set": that is how templates leave them. */
function withoutEmpty(env: unknown): unknown {
  if (typeof env !== "object" || env === null) return {};
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
}

function checkLocal(
  variables: Pick<Variables, "PUBLIC_URL" | "LOCAL_IDENTITY_KEY" | "DEMO_SERVICE_URL">,
): boolean {
  const localMode = variables.LOCAL_IDENTITY_KEY !== undefined;
  if (localMode && !isLoopback(hostOf(variables.PUBLIC_URL))) {
    throw misconfigured("LOCAL_IDENTITY_KEY", "local sign-in needs a PUBLIC_URL on a loopback address");
  }
  if (!localMode && !variables.PUBLIC_URL.startsWith("https://")) {
    throw misconfigured("PUBLIC_URL", "must start with https:// unless LOCAL_IDENTITY_KEY is set");
  }
  if (variables.DEMO_SERVICE_URL !== undefined) {
    if (!localMode) throw misconfigured("DEMO_SERVICE_URL", "the demo service needs LOCAL_IDENTITY_KEY");
    if (!isLoopback(hostOf(variables.DEMO_SERVICE_URL))) {
      throw misconfigured("DEMO_SERVICE_URL", "must be on a loopback address");
    }
  }
  return localMode;
}

function checkPairs(
  variables: Omit<Variables, "MANAGED_ENCRYPTION_KEYS" | "MANAGED_ENCRYPTION_MASTER_KEY">,
): void {
  const names = ["OIDC_ISSUER", "OIDC_JWKS_URL", "OIDC_AUDIENCE"] as const;
  const missing = names.find((name) => variables[name] === undefined);
  if (missing !== undefined && names.some((name) => variables[name] !== undefined)) {
    throw misconfigured(missing, "is needed together with the other OIDC_ variables");
  }
  if (variables.SMTP2GO_API_KEY !== undefined && variables.MAIL_SENDER === undefined) {
    throw misconfigured("MAIL_SENDER", "is needed together with SMTP2GO_API_KEY");
  }
  const { OIDC_ISSUER: oidc, CLERK_PUBLISHABLE_KEY: clerk } = variables;
  if (oidc !== undefined && clerk !== undefined && oidc === clerkIssuer(clerk)) {
    throw misconfigured(
      "OIDC_ISSUER",
      "is Clerk's: CLERK_PUBLISHABLE_KEY alone sets it up, and asks more of its tokens",
    );
  }
  if (variables.CLERK_SECRET_KEY !== undefined && variables.CLERK_PUBLISHABLE_KEY === undefined) {
    throw misconfigured("CLERK_PUBLISHABLE_KEY", "is needed together with CLERK_SECRET_KEY");
  }
}

function checkStripe(
  variables: Pick<
    Variables,
    "STRIPE_SECRET_KEY" | "STRIPE_WEBHOOK_SECRET" | "STRIPE_PRICE_CONNECTIONS" | "STRIPE_API_URL"
  >,
  localMode: boolean,
): void {
  const names = ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_PRICE_CONNECTIONS"] as const;
  const missing = names.find((name) => variables[name] === undefined);
  if (missing !== undefined && names.some((name) => variables[name] !== undefined)) {
    throw misconfigured(missing, "is needed together with the other STRIPE_ variables");
  }
  const url = variables.STRIPE_API_URL;
  if (url !== undefined && !(localMode && isLoopback(hostOf(url)))) {
    throw misconfigured("STRIPE_API_URL", "must be on a loopback address, and needs LOCAL_IDENTITY_KEY");
  }
}

const zohoNames = [
  "ZOHO_DESK_ORG_ID",
  "ZOHO_DESK_DEPARTMENT_ID",
  "ZOHO_CLIENT_ID",
  "ZOHO_CLIENT_SECRET",
  "ZOHO_REFRESH_TOKEN",
] as const;

function checkZoho(variables: Pick<Variables, (typeof zohoNames)[number]>): void {
  const missing = zohoNames.find((name) => variables[name] === undefined);
  if (missing !== undefined && zohoNames.some((name) => variables[name] !== undefined)) {
    throw misconfigured(missing, "is needed together with the other ZOHO_ variables");
  }
}

async function readKeyring(
  keys: string | undefined,
  legacy: string | undefined,
): Promise<Keyring | undefined> {
  try {
    return await parseKeyring({ keys, legacy });
  } catch (error) {
    // A keyring error names the entry and holds no byte of it.
    throw misconfigured(
      keys === undefined ? "MANAGED_ENCRYPTION_MASTER_KEY" : "MANAGED_ENCRYPTION_KEYS",
      error instanceof Error ? error.message : "not valid",
    );
  }
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

function misconfigured(variable: string, reason: string): Fault {
  return new Fault("misconfigured", { params: { variable, reason } });
}
