import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";
import { Fault } from "../../src/lib/fault.ts";
import { problemOf, rpcCall } from "../support/answers.ts";
import { captureConsole } from "../support/capture.ts";
import { createInstance } from "../support/instance.ts";

const local = { PUBLIC_URL: "http://127.0.0.1:8787", LOCAL_IDENTITY_KEY: env.LOCAL_IDENTITY_KEY };
const hosted = { PUBLIC_URL: "https://bindify.example" };
const oidc = {
  OIDC_ISSUER: "https://id.example",
  OIDC_JWKS_URL: "https://id.example/jwks",
  OIDC_AUDIENCE: "bindify",
};
const stripe = {
  STRIPE_SECRET_KEY: "sk_test_1",
  STRIPE_WEBHOOK_SECRET: "whsec_1",
  STRIPE_PRICE_CONNECTIONS: "price_1",
};
const zoho = {
  ZOHO_DESK_ORG_ID: "1",
  ZOHO_DESK_DEPARTMENT_ID: "2",
  ZOHO_CLIENT_ID: "1000.A",
  ZOHO_CLIENT_SECRET: "s",
  ZOHO_REFRESH_TOKEN: "r",
};
const key = "0123456789abcdef".repeat(4);

async function refusalOf(variables: Record<string, unknown>): Promise<Fault> {
  try {
    await readConfig(variables);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** The variable that is named, and the environment that must not start. */
const refused: readonly (readonly [string, Record<string, unknown>])[] = [
  ["PUBLIC_URL", {}],
  ["PUBLIC_URL", { PUBLIC_URL: "" }],
  ["PUBLIC_URL", { PUBLIC_URL: "bindify.example" }],
  ["PUBLIC_URL", { PUBLIC_URL: "https://bindify.example/" }],
  ["PUBLIC_URL", { PUBLIC_URL: "https://bindify.example/app" }],
  ["PUBLIC_URL", { PUBLIC_URL: "http://bindify.example" }],
  ["PUBLIC_URL", { PUBLIC_URL: "http://127.0.0.1:8787" }],
  ["PUBLIC_URL", { PUBLIC_URL: 8787 }],
  ["ADMIN_URL", { ...hosted, ADMIN_URL: "https://a.example,https://b.example/x" }],
  ["SECRET_ENV", { ...hosted, SECRET_ENV: "secret-value" }],
  ["BRAND_NAME", { ...hosted, BRAND_NAME: "x".repeat(61) }],
  ["SUPPORT_URL", { ...hosted, SUPPORT_URL: "javascript:secret-value" }],
  ["UPSTREAM_TIMEOUT_SECONDS", { ...hosted, UPSTREAM_TIMEOUT_SECONDS: "0" }],
  ["UPSTREAM_TIMEOUT_SECONDS", { ...hosted, UPSTREAM_TIMEOUT_SECONDS: "5m" }],
  ["RESPONSE_TIMEOUT_SECONDS", { ...hosted, RESPONSE_TIMEOUT_SECONDS: "86401" }],
  ["STREAM_CHECK_BUDGET", { ...hosted, STREAM_CHECK_BUDGET: "1.5" }],
  ["BACKGROUND_BUDGET", { ...hosted, BACKGROUND_BUDGET: "51" }],
  ["OIDC_JWKS_URL", { ...hosted, ...oidc, OIDC_JWKS_URL: "" }],
  ["STRIPE_SECRET_KEY", { ...hosted, ...stripe, STRIPE_SECRET_KEY: "" }],
  ["STRIPE_SECRET_KEY", { ...hosted, ...stripe, STRIPE_SECRET_KEY: "pk_live_secret-value" }],
  ["STRIPE_WEBHOOK_SECRET", { ...hosted, ...stripe, STRIPE_WEBHOOK_SECRET: undefined }],
  ["STRIPE_WEBHOOK_SECRET", { ...hosted, ...stripe, STRIPE_WEBHOOK_SECRET: "secret-value" }],
  ["STRIPE_PRICE_CONNECTIONS", { ...hosted, ...stripe, STRIPE_PRICE_CONNECTIONS: "" }],
  ["STRIPE_PRICE_CONNECTIONS", { ...hosted, ...stripe, STRIPE_PRICE_CONNECTIONS: "prod_1" }],
  ["STRIPE_API_URL", { ...hosted, ...stripe, STRIPE_API_URL: "http://127.0.0.1:9000" }],
  ["STRIPE_API_URL", { ...local, ...stripe, STRIPE_API_URL: "https://stripe.example" }],
  ["TRIAL_DAYS", { ...hosted, TRIAL_DAYS: "0" }],
  ...Object.keys(zoho).map((name) => [name, { ...hosted, ...zoho, [name]: "" }] as const),
  ["ZOHO_DESK_ORG_ID", { ...hosted, ...zoho, ZOHO_DESK_ORG_ID: "secret-value" }],
  ["ZOHO_REGION", { ...hosted, ...zoho, ZOHO_REGION: "example/secret-value" }],
  ["OIDC_AUDIENCE", { ...hosted, ...oidc, OIDC_AUDIENCE: undefined }],
  ["OIDC_ISSUER", { ...hosted, ...oidc, OIDC_ISSUER: "http://id.example" }],
  ["OIDC_ISSUER", { ...hosted, ...oidc, CLERK_PUBLISHABLE_KEY: `pk_live_${btoa("id.example$")}` }],
  ["CLERK_PUBLISHABLE_KEY", { ...hosted, CLERK_PUBLISHABLE_KEY: "sk_live_secret-value" }],
  ["LOCAL_IDENTITY_KEY", { ...local, PUBLIC_URL: "https://bindify.example" }],
  ["LOCAL_IDENTITY_KEY", { ...local, PUBLIC_URL: "http://127.0.0.1.nip.io:8787" }],
  ["LOCAL_IDENTITY_KEY", { ...local, LOCAL_IDENTITY_KEY: "secret-value" }],
  ["LOCAL_IDENTITY_KEY", { ...local, LOCAL_IDENTITY_KEY: env.TEST_IDENTITY_KEY }],
  ["LOCAL_IDENTITY_KEY", { ...local, LOCAL_IDENTITY_KEY: '{"kty":"oct","k":"secret-value"}' }],
  ["DEMO_SERVICE_URL", { ...hosted, DEMO_SERVICE_URL: "http://127.0.0.1:8788" }],
  ["DEMO_SERVICE_URL", { ...local, DEMO_SERVICE_URL: "https://demo.example" }],
  ["DEMO_SERVICE_URL", { ...local, DEMO_SERVICE_URL: "http://127.0.0.1:8788/mcp" }],
  ["MANAGED_ENCRYPTION_KEYS", { ...hosted, MANAGED_ENCRYPTION_KEYS: "secret-value" }],
  [
    "MANAGED_ENCRYPTION_KEYS",
    { ...hosted, MANAGED_ENCRYPTION_KEYS: JSON.stringify([{ key: key.slice(1) }]) },
  ],
  [
    "MANAGED_ENCRYPTION_KEYS",
    { ...hosted, MANAGED_ENCRYPTION_KEYS: JSON.stringify([{ key: "0".repeat(64) }]) },
  ],
  ["MANAGED_ENCRYPTION_KEYS", { ...hosted, MANAGED_ENCRYPTION_KEYS: JSON.stringify([{ key }, { key }]) }],
  ["MANAGED_ENCRYPTION_MASTER_KEY", { ...hosted, MANAGED_ENCRYPTION_MASTER_KEY: `${key}zz` }],
];

describe("the configuration", () => {
  it.each(refused)("T18 refuses to start and names %s, never a value: %j", async (variable, variables) => {
    const fault = await refusalOf(variables);
    expect(fault.code).toBe("misconfigured");
    expect(fault.params["variable"]).toBe(variable);
    const shown = JSON.stringify([fault.detail, fault.params, fault.message]);
    expect(shown).not.toContain("secret-value");
    expect(shown).not.toContain(key.slice(0, 32));
  });

  it("accepts a hosted deployment, with what is left out at its default", async () => {
    const config = await readConfig({ ...hosted, ADMIN_URL: "", OIDC_ISSUER: "" });
    expect(config).toMatchObject({
      ADMIN_URL: ["https://bindify.example"],
      SECRET_ENV: "live",
      BRAND_NAME: "Bindify",
      PAUSED_SERVICES: [],
      localMode: false,
      keyring: undefined,
    });
  });

  it("accepts lists with spaces, every way to sign in, and old and new master keys together", async () => {
    const config = await readConfig({
      ...hosted,
      ...oidc,
      ADMIN_URL: " https://a.example , https://b.example,",
      PAUSED_SERVICES: "linear, todoist",
      MANAGED_ENCRYPTION_KEYS: JSON.stringify([{ key }, { key: "ab".repeat(32) }]),
      MANAGED_ENCRYPTION_MASTER_KEY: key,
    });
    expect(config.ADMIN_URL).toEqual(["https://a.example", "https://b.example"]);
    expect(config.PAUSED_SERVICES).toEqual(["linear", "todoist"]);
    expect(config.keyring?.fingerprints).toHaveLength(2);
  });

  it("takes the support form's client for no service's", async () => {
    const config = await readConfig({ ...hosted, ...zoho, GITHUB_CLIENT_ID: "g" });
    expect([...config.clients.keys()]).toEqual(["github"]);
    expect(config.ZOHO_REGION).toBe("com");
  });

  it.each(["http://127.0.0.1:8787", "http://localhost:3000", "http://[::1]:8787"])(
    "local mode works at %s",
    async (url) => {
      expect(
        (await readConfig({ ...local, PUBLIC_URL: url, DEMO_SERVICE_URL: "http://127.0.0.1:8788" }))
          .localMode,
      ).toBe(true);
    },
  );
});

describe("a deployment that is not configured", () => {
  const secret = `secret-value-${key}`;
  const broken = createInstance({ MANAGED_ENCRYPTION_KEYS: secret });

  it("answers 500 with the variable's name on every route, and nothing of its value", async () => {
    const capture = captureConsole();
    try {
      for (const path of [
        "/api/me",
        "/api/services",
        "/healthz",
        "/mcp/custom",
        `/mcp/custom/${"A".repeat(86)}`,
        "/nope",
      ]) {
        const problem = await problemOf(
          await broken.fetch(path, path.startsWith("/mcp") ? rpcCall() : {}),
          "misconfigured",
        );
        expect(problem.detail).toContain("MANAGED_ENCRYPTION_KEYS");
        expect(JSON.stringify(problem)).not.toContain("secret-value");
      }
      expect(capture.lines).toEqual(
        Array.from(
          { length: 3 },
          () => '{"level":"error","event":"misconfigured","variable":"MANAGED_ENCRYPTION_KEYS"}',
        ),
      );
    } finally {
      capture.restore();
    }
  });

  it("works as soon as it is mended: a failure is not remembered", async () => {
    expect((await createInstance().fetch("/healthz")).status).toBe(200);
  });
});
