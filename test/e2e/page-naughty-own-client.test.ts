import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { traces, viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startHostileServer, type HostileServer } from "../support/node/hostile-server.ts";
import { startInstance } from "../support/node/instance.ts";
import {
  allowAtOnce,
  expectNarrow,
  field,
  joined,
  send,
  sharp,
  typable,
  type,
  watched,
} from "../support/node/naughty-page.ts";
import { button, heading } from "../support/node/page.ts";
import { createProvider, requestsWith, setRoutes, tokenAnswer, type Provider } from "../support/provider.ts";

let hostile: HostileServer;
let instance: Awaited<ReturnType<typeof startInstance>>;

beforeAll(async () => {
  hostile = await startHostileServer();
  instance = await startInstance({ demo: false, hosts: { "github.com": hostile.url } });
});

afterAll(async () => {
  await instance.close();
  await hostile.close();
});

const chromium = useBrowser();

skipWithoutBrowser();

/** Stands in every secret, so that it is found wherever one is. */
const mark = "keep-out-7f3a";
/** Together as long as each may be; a colon is what parts id and secret in the header. */
const lines = typable.filter((text) => !/[\r\n]/.test(text));
const own = [...sharp, ...joined(lines, 480, ":")];
const few = [sharp[0], sharp.join(":")];

const problemSchema = z.object({ errors: z.array(z.object({ path: z.string(), message: z.string() })) });

/** Both parts as RFC 6749 §2.3.1 has them in the header: form-encoded. */
function readBasic(header: string | undefined): readonly string[] {
  const [, packed = ""] = /^Basic ([A-Za-z\d+/]+={0,2})$/.exec(header ?? "") ?? [];
  const parts = Buffer.from(packed, "base64").toString("latin1").split(":");
  return parts.map((part) => new URLSearchParams(`part=${part}`).get("part") ?? "");
}

/** The form of any MCP server, its fields for a client of one's own open. */
async function openForm(page: Page, provider: Provider): Promise<void> {
  await page.goto(`${instance.url}/#/connect/custom`);
  await field(page, "url").fill(provider.mcpUrl);
  await page.locator("summary", { hasText: "an app of your own" }).click();
}

/** The whole way, from the form to the credential and on. Answers the request that began it. */
async function signIn(
  page: Page,
  words: string,
  more: () => Promise<void> = async () => {},
): Promise<unknown> {
  const begun = page.waitForRequest(
    (request) => request.url() === `${instance.url}/api/connections/authorize`,
  );
  await button(page, words).click();
  await more();
  await heading(page, "Save your credential now").waitFor();
  await button(page, "I have saved it").click();
  const sent: unknown = (await begun).postDataJSON();
  return sent;
}

describe("naughty text as an OAuth client of one's own", () => {
  it("arrives as it was typed, at the two places where it belongs, and is nowhere else", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "owner", {
      elsewhere: hostile.url,
    });
    const provider = await createProvider(hostile.url);
    const asked = await allowAtOnce(context);
    const answers: Promise<string>[] = [];
    page.on("response", (response) => {
      // A page that was left has no body to read.
      if (response.url().includes("/api/")) answers.push(response.text().catch(() => "left"));
    });
    const typed: (readonly [string, string])[] = [];
    for (const text of own) {
      await openForm(page, provider);
      const id = await type(field(page, "client.id"), text);
      const secret = await type(field(page, "client.secret"), `${mark}${text}`);
      expect([id, secret]).toEqual([text, `${mark}${text}`]);
      expect(await traces(page)).not.toContain(mark);
      const sent = await signIn(page, "Sign in at the server");
      typed.push([id.trim(), secret.trim()]);
      expect(sent).toMatchObject({ client: { id: id.trim(), secret: secret.trim() } });
    }
    expect(asked.map(({ searchParams }) => searchParams.get("client_id"))).toEqual(typed.map(([id]) => id));
    expect(asked.map(String).join("\n")).not.toContain(mark);
    const exchanged = await provider.requests("/token");
    expect(exchanged.map(({ headers }) => readBasic(headers["authorization"]))).toEqual(typed);
    for (const { body } of exchanged) expect(body).not.toContain(mark);
    expect(await traces(page)).not.toContain(mark);
    expect((await Promise.all(answers)).join("\n")).not.toContain(mark);
    expect(JSON.stringify(instance.logs)).not.toContain(mark);
    quiet();
    await context.close();
  });

  it("goes into the form of a server that knows no other way, and without a secret as a name alone", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "poster", {
      elsewhere: hostile.url,
    });
    const provider = await createProvider(hostile.url, {
      server: { token_endpoint_auth_methods_supported: ["client_secret_post", "none"] },
    });
    await allowAtOnce(context);
    const typed: (readonly [string, string | null])[] = [];
    for (const text of few) {
      for (const secret of [`${mark}${text}`, null]) {
        await openForm(page, provider);
        await field(page, "client.id").fill(text);
        if (secret !== null) await field(page, "client.secret").fill(secret);
        await signIn(page, "Sign in at the server");
        typed.push([text, secret]);
      }
    }
    const exchanged = await provider.requests("/token");
    const forms = exchanged.map(({ body }) => new URLSearchParams(body));
    expect(forms.map((form) => [form.get("client_id"), form.get("client_secret")])).toEqual(typed);
    expect(exchanged.map(({ headers }) => headers["authorization"])).toEqual(typed.map(() => undefined));
    expect(await traces(page)).not.toContain(mark);
    quiet();
    await context.close();
  });

  it("serves a service that takes no other client, and the next sign-in of the connection", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "developer", {
      elsewhere: "https://github.com/login/oauth/authorize?",
    });
    const token = "/login/oauth/access_token";
    await setRoutes(hostile.url, { [`POST ${token}`]: { json: tokenAnswer("github", { scope: "repo" }) } });
    const asked = await allowAtOnce(context);
    const typed: (readonly [string, string])[] = [];
    const leave = () => page.getByRole("dialog").getByRole("button", { name: "Go on and sign in" }).click();
    for (const text of few) {
      await page.goto(`${instance.url}/#/connect/github`);
      await field(page, "client.id").fill(text);
      await field(page, "client.secret").fill(`${mark}${text}`);
      await signIn(page, "Sign in with GitHub", leave);
      typed.push([text, `${mark}${text}`]);
    }
    await page.locator(".row-link").first().click();
    await page.getByRole("link", { name: "Re-authorize", exact: true }).click();
    for (const text of few) {
      await heading(page, "Re-authorize GitHub").waitFor();
      const route = page.url();
      await page.getByRole("radio", { name: "Give me new ones" }).check();
      await field(page, "client.id").fill(`again ${text}`);
      await field(page, "client.secret").fill(`${mark} again ${text}`);
      await signIn(page, "Sign in with GitHub", leave);
      typed.push([`again ${text}`, `${mark} again ${text}`]);
      await page.goto(route);
    }
    const exchanged = await requestsWith(hostile.url, token);
    expect(exchanged.map(({ headers }) => readBasic(headers["authorization"]))).toEqual(typed);
    expect(asked.map(({ searchParams }) => searchParams.get("client_id"))).toEqual(typed.map(([id]) => id));
    expect(await traces(page)).not.toContain(mark);
    quiet();
    await context.close();
  });

  it("is refused beside the field at fault, and all that was typed stays", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "mistaken", {
      viewport: viewports.phone,
    });
    const provider = await createProvider(hostile.url);
    await openForm(page, provider);
    const [long, wide] = ["x".repeat(501), "💥".repeat(501)];
    const refused: readonly (readonly [wrong: string, id: string, secret: string, label: string])[] = [
      ...sharp.map((text) => ["client.id", "", text, text] as const),
      ["client.id", "\u3000", sharp[0], sharp[1]],
      ["client.id", long, sharp[0], sharp[1]],
      ["client.id", wide, sharp[0], sharp[1]],
      ["client.secret", sharp[0], long, sharp[1]],
      ["client.secret", sharp[0], wide, sharp[1]],
      ["label", sharp[0], sharp[1], "x".repeat(101)],
      ["label", sharp[0], sharp[1], "a\tb"],
    ];
    for (const [wrong, id, secret, label] of refused) {
      const typed = { url: provider.mcpUrl, "client.id": id, "client.secret": secret, label };
      for (const [name, text] of Object.entries(typed)) await field(page, name).fill(text);
      const { sent, status, body } = await send(page, "POST", () =>
        button(page, "Sign in at the server").click(),
      );
      expect(sent).toMatchObject({ client: { id: id.trim(), secret }, label, url: provider.mcpUrl });
      expect([wrong, status, problemSchema.parse(body).errors.map(({ path }) => path)]).toEqual([
        wrong,
        400,
        [wrong],
      ]);
      const box = page.locator(".field").filter({ has: field(page, wrong) });
      await box.locator(".field-error").waitFor();
      expect(await page.locator(".field-error").count()).toBe(1);
      await page.locator(`:focus[name="${wrong}"]`).waitFor();
      for (const [name, text] of Object.entries(typed))
        expect([name, await field(page, name).inputValue()]).toEqual([name, text]);
      await expectNarrow(page, wrong);
    }
    // Shown on demand, still as it was typed.
    await button(page, "Show Client secret").click();
    expect(await field(page, "client.secret").inputValue()).toBe(sharp[1]);
    expect(await provider.requests()).toEqual([]);
    quiet();
    await context.close();
  });
});
