import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admitHosts, signInHosts } from "../../scripts/build-dashboard/policy.ts";
import { accessibilityFindings } from "../support/node/accessibility.ts";
import { howToGetChromium, storageOf, viewports, visitAs } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { button, heading } from "../support/node/page.ts";

const clerkHost = "funny-newt-12.clerk.accounts.dev";
const clerkKey = `pk_test_${Buffer.from(`${clerkHost}$`).toString("base64")}`;
const issuer = "https://issuer.example";

let withClerk: Instance;
let withOidc: Instance;

beforeAll(async () => {
  withClerk = await startInstance({ demo: false, variables: { CLERK_PUBLISHABLE_KEY: clerkKey } });
  withOidc = await startInstance({
    demo: false,
    variables: {
      OIDC_ISSUER: issuer,
      OIDC_JWKS_URL: `${issuer}/jwks`,
      OIDC_AUDIENCE: "https://api.example",
      OIDC_CLIENT_ID: "the-page",
    },
  });
});

afterAll(async () => {
  await withClerk.close();
  await withOidc.close();
});

const chromium = useBrowser();

async function visit(instance: Instance, viewport = viewports.wide) {
  const { browser } = chromium;
  if (browser === undefined) throw new Error(howToGetChromium);
  return await visitAs(browser, instance.url, viewport);
}

async function policyOf(instance: Instance): Promise<Map<string, string[]>> {
  const response = await fetch(instance.url);
  await response.body?.cancel();
  const directives = (response.headers.get("content-security-policy") ?? "").split("; ");
  return new Map(directives.map((each) => [each.split(" ")[0] ?? "", each.split(" ").slice(1)]));
}

describe("the policy admits an identity provider's host and nothing else", () => {
  it("T23 Clerk's Frontend API host", async () => {
    const policy = await policyOf(withClerk);
    expect(policy.get("default-src")).toEqual(["'none'"]);
    expect(policy.get("script-src")).toEqual(["'self'", `https://${clerkHost}`]);
    expect(policy.get("connect-src")).toEqual(["'self'", `https://${clerkHost}`]);
    expect(policy.get("frame-ancestors")).toEqual(["'none'"]);
  });

  it("T23 an OpenID Connect issuer, for its two requests", async () => {
    const policy = await policyOf(withOidc);
    expect(policy.get("script-src")).toEqual(["'self'"]);
    expect(policy.get("style-src")).toEqual(["'self'"]);
    expect(policy.get("connect-src")).toEqual(["'self'", issuer]);
  });

  it("refuses a key that names no host", () => {
    const key = `pk_live_${Buffer.from("a.example https://b.example$").toString("base64")}`;
    expect(() => signInHosts({ CLERK_PUBLISHABLE_KEY: key })).toThrow("names no host");
    expect(admitHosts("  Content-Security-Policy: default-src 'none'\n", {})).toBe(
      "  Content-Security-Policy: default-src 'none'\n",
    );
  });
});

// Clerk itself is out of reach of a test: this stands where its two scripts do, with the same names and promises.
const clerkUi = "globalThis.__internal_ClerkUICtor = class {};";
const clerkCore = (token: string) => `
  const listeners = new Set();
  const tell = () => listeners.forEach((listener) => listener());
  globalThis.Clerk = {
    key: document.currentScript.dataset.clerkPublishableKey,
    session: null,
    load: async ({ ui }) => { if (ui.ClerkUI !== globalThis.__internal_ClerkUICtor) throw new Error("no UI"); },
    addListener: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
    mountSignIn: (node) => {
      const button = document.createElement("button");
      button.textContent = "Continue as Ada";
      button.className = "button";
      button.onclick = () => { globalThis.Clerk.session = { id: "sess_1", getToken: async () => ${JSON.stringify(token)} }; tell(); };
      node.append(button);
    },
    unmountSignIn: (node) => node.replaceChildren(),
    signOut: async () => { globalThis.Clerk.session = null; tell(); },
  };
`;

async function serveClerk(context: BrowserContext, token: string): Promise<string[]> {
  const asked: string[] = [];
  await context.route(`https://${clerkHost}/**`, async (route) => {
    const { pathname } = new URL(route.request().url());
    asked.push(pathname);
    const body = pathname.includes("/ui@1/") ? clerkUi : clerkCore(token);
    await route.fulfill({
      contentType: "text/javascript",
      headers: { "access-control-allow-origin": "*" },
      body,
    });
  });
  return asked;
}

describe("signing in with Clerk", () => {
  skipWithoutBrowser();

  it("loads its two scripts, asks it for each call's token, and signs out there", async () => {
    const { context, page, watched } = await visit(withClerk, viewports.phone);
    const asked = await serveClerk(context, await withClerk.token("ada"));
    await page.goto(withClerk.url);
    await button(page, "Continue as Ada").waitFor();
    expect(asked).toEqual([
      "/npm/@clerk/ui@1/dist/ui.browser.js",
      "/npm/@clerk/clerk-js@6/dist/clerk.browser.js",
    ]);
    expect(await page.evaluate("Clerk.key")).toBe(clerkKey);
    expect(await accessibilityFindings(page)).toEqual([]);
    await button(page, "Continue as Ada").click();
    await heading(page, "Connections").waitFor();
    await page.getByText("ada@localhost").waitFor();
    // Clerk renews what lives a minute: the page keeps none of it.
    expect(await storageOf(page)).toBe("[[],[]]");
    await button(page, "Sign out").click();
    await page.getByText("You are signed out").waitFor();
    await button(page, "Continue as Ada").waitFor();
    expect(await page.evaluate("Clerk.session")).toBe(null);
    expect(watched.complaints).toEqual([]);
    expect(watched.foreign.every((url) => url.startsWith(`https://${clerkHost}/`))).toBe(true);
    await context.close();
  });

  it("does not go round in circles where the deployment refuses its token", async () => {
    const { context, page } = await visit(withClerk);
    await serveClerk(context, "not.a.token");
    await page.goto(withClerk.url);
    await button(page, "Continue as Ada").click();
    await page.getByText("Your sign-in has ended").waitFor();
    await button(page, "Use another account").click();
    await button(page, "Continue as Ada").waitFor();
    await context.close();
  });

  it("says that it could not be loaded, and tries again", async () => {
    const { context, page } = await visit(withClerk);
    await context.route(`https://${clerkHost}/**`, (route) => route.abort());
    await page.goto(withClerk.url);
    await page.getByText("The sign-in could not be loaded.").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await context.unroute(`https://${clerkHost}/**`);
    await serveClerk(context, await withClerk.token("ada"));
    await button(page, "Try again").click();
    await button(page, "Continue as Ada").waitFor();
    await context.close();
  });
});

const claims = (of: object) => `e30.${Buffer.from(JSON.stringify(of)).toString("base64url")}.c2ln`;

interface Exchange {
  readonly authorize: URL[];
  readonly forms: URLSearchParams[];
}

/** An issuer that signs everybody in at once. */
async function serveIssuer(
  context: BrowserContext,
  instance: Instance,
  change: { state?: string; nonce?: string; first?: object } = {},
): Promise<Exchange> {
  const exchange: Exchange = { authorize: [], forms: [] };
  const open = { "access-control-allow-origin": "*" };
  await context.route(`${issuer}/**`, async (route) => {
    const url = new URL(route.request().url());
    if (url.pathname.endsWith("/openid-configuration")) {
      const json = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        response_modes_supported: ["query", "fragment"],
      };
      await route.fulfill({ json, headers: open });
    } else if (url.pathname === "/authorize") {
      exchange.authorize.push(url);
      const back = new URLSearchParams({
        code: "the-code",
        state: change.state ?? url.searchParams.get("state") ?? "",
        iss: issuer,
      });
      const location = `${url.searchParams.get("redirect_uri") ?? ""}#${back.toString()}`;
      await route.fulfill({ status: 303, headers: { location } });
    } else {
      exchange.forms.push(new URLSearchParams(route.request().postData() ?? ""));
      const nonce = change.nonce ?? exchange.authorize.at(-1)?.searchParams.get("nonce");
      const renewed = exchange.forms.at(-1)?.get("grant_type") === "refresh_token";
      const token = await instance.token("grace");
      const json = {
        id_token: claims({ aud: "the-page", nonce, exp: Date.now() / 1000 + 600 }),
        access_token: change.first === undefined || renewed ? token : claims(change.first),
        refresh_token: "the-refresh-token",
        token_type: "Bearer",
      };
      await route.fulfill({ json, headers: open });
    }
  });
  return exchange;
}

const s256 = async (verifier: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(verifier))).toString("base64url");

const begin = (page: Page) => button(page, "Sign in with issuer.example").click();

describe("signing in with an OpenID Connect issuer", () => {
  skipWithoutBrowser();

  it("exchanges the code with its verifier, and keeps neither code nor token in an address", async () => {
    const { context, page, watched } = await visit(withOidc, viewports.phone);
    const { authorize, forms } = await serveIssuer(context, withOidc);
    await page.goto(`${withOidc.url}/#/tokens`);
    await button(page, "Sign in with issuer.example").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await begin(page);
    await heading(page, "API tokens").waitFor();
    expect(page.url()).toBe(`${withOidc.url}/#/tokens`);
    await page.getByText("grace@localhost").waitFor();
    const query = authorize[0]?.searchParams;
    const form = forms[0];
    expect(query?.get("response_type")).toBe("code");
    expect(query?.get("response_mode")).toBe("fragment");
    expect(query?.get("client_id")).toBe("the-page");
    expect(query?.get("resource")).toBe("https://api.example");
    expect(query?.get("code_challenge_method")).toBe("S256");
    expect(query?.get("code_challenge")).toBe(await s256(form?.get("code_verifier") ?? ""));
    expect(form?.get("code")).toBe("the-code");
    expect(form?.get("client_id")).toBe("the-page");
    await page.reload();
    await heading(page, "API tokens").waitFor();
    const kept = await storageOf(page);
    expect(kept).not.toContain("the-code");
    expect(kept).not.toContain(form?.get("code_verifier"));
    await button(page, "Sign out").click();
    await page.getByText("this tab has forgotten your token").waitFor();
    expect(await storageOf(page)).toBe("[[],[]]");
    expect(watched.complaints).toEqual([]);
    expect(watched.foreign.every((url) => url.startsWith(`${issuer}/`))).toBe(true);
    await context.close();
  });

  it("renews a token that is about to end before it is used, with what is only in memory", async () => {
    const { context, page, watched } = await visit(withOidc);
    const first = { aud: "https://api.example", exp: Date.now() / 1000 + 20 };
    const { forms } = await serveIssuer(context, withOidc, { first });
    await page.goto(withOidc.url);
    await begin(page);
    await page.getByText("grace@localhost").waitFor();
    expect(forms.map((form) => form.get("grant_type"))).toEqual(["authorization_code", "refresh_token"]);
    expect(forms[1]?.get("refresh_token")).toBe("the-refresh-token");
    expect(await storageOf(page)).not.toContain("the-refresh-token");
    expect(watched.complaints).toEqual([]);
    await context.close();
  });

  it("takes no answer with another state, nor a token with another nonce", async () => {
    const { context, page } = await visit(withOidc);
    const { forms } = await serveIssuer(context, withOidc, { state: "of-somebody-else" });
    await page.goto(withOidc.url);
    await begin(page);
    await page.getByText("That sign-in was not begun in this tab.").waitFor();
    expect(forms).toEqual([]);
    expect(page.url()).toBe(`${withOidc.url}/`);
    await context.unroute(`${issuer}/**`);
    await serveIssuer(context, withOidc, { nonce: "of-another-sign-in" });
    await begin(page);
    await page.getByText("answer could not be used").waitFor();
    expect(await storageOf(page)).toBe("[[],[]]");
    await context.close();
  });

  it("T23 takes no code from a link, and drops it from the address", async () => {
    const { context, page } = await visit(withOidc);
    const { forms } = await serveIssuer(context, withOidc);
    await page.goto(`${withOidc.url}/?code=planted&state=planted`);
    await page.getByText("That sign-in was not begun in this tab.").waitFor();
    expect(page.url()).toBe(`${withOidc.url}/`);
    expect(forms).toEqual([]);
    await context.close();
  });

  it("says that the issuer does not answer", async () => {
    const { context, page } = await visit(withOidc);
    await context.route(`${issuer}/**`, (route) => route.abort());
    await page.goto(withOidc.url);
    await begin(page);
    await page.getByText("did not answer as an OpenID Connect issuer").waitFor();
    await context.close();
  });
});
