import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startHostileServer, type HostileServer } from "../support/node/hostile-server.ts";
import { startInstance } from "../support/node/instance.ts";
import {
  allowAtOnce,
  expectNarrow,
  field,
  joined,
  refuseAll,
  sharp,
  typable,
  watched,
  wide,
} from "../support/node/naughty-page.ts";
import { button, heading } from "../support/node/page.ts";
import { begin, complete, signedInBy } from "../support/node/sign-in.ts";
import { createProvider } from "../support/provider.ts";

let hostile: HostileServer;
let instance: Awaited<ReturnType<typeof startInstance>>;

beforeAll(async () => {
  hostile = await startHostileServer();
  instance = await startInstance({ demo: false });
});

afterAll(async () => {
  await instance.close();
  await hostile.close();
});

const chromium = useBrowser();

skipWithoutBrowser();

/** Space alone is nothing: where the credential may be left out, that is what it then means. */
const something = [...sharp, ...joined(typable, 150)];
const keyNames = ["url", "fields.api_key", "header.name", "header.prefix"];
const noCredential = "This is neither a secret URL nor an API key of this deployment.";
const isPlain = (text: string): boolean => /^[ -~]*$/.test(text);

const stateSchema = z.object({ status: z.string(), label: z.string() });
const credentialSchema = z.object({ credential: z.string() });

/** A connection that was signed in to beside the page; only its credential opens it. */
async function connectBeside(label: string, user: string): Promise<{ id: string; secretUrl: string }> {
  const provider = await createProvider(hostile.url);
  const { state } = await begin(instance, { service: "custom", url: provider.mcpUrl, label }, user);
  const answer = { state, code: "code", iss: provider.issuer };
  const { connection, credential } = signedInBy(await complete(instance, answer, user));
  return { id: connection.id, secretUrl: credential?.secret_url ?? "" };
}

/** The credentials that the page showed the API, in the order of its requests. */
function collectShown(page: Page): readonly string[] {
  const shown: string[] = [];
  page.on("request", (request) => {
    if (!request.url().includes("/api/connections/")) return;
    const inHeader = request.headers()["bindify-credential"];
    const inBody =
      request.method() === "POST" ? credentialSchema.safeParse(request.postDataJSON()) : undefined;
    const found = inHeader ?? inBody?.data?.credential;
    if (found !== undefined) shown.push(found);
  });
  return shown;
}

describe("naughty text as the present credential", () => {
  for (const [title, action, label] of [
    ["New credential", "Get a new credential", sharp[0]],
    ["Disconnect", "Disconnect", sharp[1]],
    ["Delete for good", "Delete for good", sharp[3]],
  ] as const) {
    it(`is refused beside its field, and nothing is done: ${title}`, async () => {
      const { context, page, quiet } = await watched(chromium.browser, instance, "holder", {
        viewport: viewports.phone,
      });
      const { id, secretUrl } = await connectBeside(label, "holder");
      await page.goto(`${instance.url}/#/connection/${id}`);
      await heading(page, label).waitFor();
      await button(page, title).click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      if (title === "Delete for good") await dialog.locator("input[name=typed]").fill(label);
      const shown = collectShown(page);
      const outcomes = await refuseAll(page, ["credential"], [...something, wide[0].repeat(2)]);
      for (const { beside, said } of outcomes)
        expect([beside, said]).toEqual([[noCredential], [noCredential]]);
      expect(shown).toHaveLength(outcomes.length);
      for (const [at, { typed }] of outcomes.entries()) {
        const text = typed[0]?.trim() ?? "";
        // A header holds no more; whatever else is typed is no credential, and is not made one on its way.
        if (title === "New credential" || isPlain(text)) expect(shown[at]).toBe(text);
        else expect([isPlain(shown[at] ?? ""), shown[at]?.length]).toEqual([true, text.length]);
      }
      await expectNarrow(page, title);
      const { body } = await instance.api("GET", `/api/connections/${id}`, undefined, "holder");
      expect(stateSchema.parse(body)).toEqual({ status: "active", label });
      // The same dialog then takes the right one.
      await dialog.locator("input[name=credential]").fill(secretUrl);
      await dialog.getByRole("button", { name: action }).click();
      await dialog.waitFor({ state: "detached" });
      quiet();
      await context.close();
    });
  }

  it("does not end a sign-in that is to keep the address", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "keeper", {
      elsewhere: hostile.url,
    });
    const { id, secretUrl } = await connectBeside(sharp[4], "keeper");
    await allowAtOnce(context);
    await page.goto(`${instance.url}/#/again/${id}`);
    await button(page, "Sign in at the server").click();
    await heading(page, "Keep your address and key").waitFor();
    const shown = collectShown(page);
    const outcomes = await refuseAll(page, ["credential"], [...something, " ", "\u3000"]);
    for (const { beside } of outcomes) expect(beside).toEqual([noCredential]);
    expect(shown).toEqual(outcomes.map(({ typed }) => typed[0]?.trim()));
    await field(page, "credential").fill(secretUrl);
    await button(page, "Keep this one").click();
    await heading(page, "Your secret URL and API key stay the same").waitFor();
    quiet();
    await context.close();
  });

  it("is refused where a connection gets another key, and of its address all is there but the query", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "replacer", {
      viewport: viewports.phone,
    });
    const provider = await createProvider(hostile.url, { challenge: null });
    const open = async (url: string) => {
      const { connection } = await instance.connect({ url, key: "good", user: "replacer" });
      await page.goto("about:blank");
      await page.goto(`${instance.url}/#/again/${connection.id}`);
      await heading(page, "Replace the key of").waitFor();
      return connection;
    };
    await open(`${provider.mcpUrl}?q=%22%3E%3Csvg/onload=alert(1)%3E`);
    expect(await field(page, "url").inputValue()).toBe("");
    await page.getByText("Give it whole: what follows the ? may hold a key").waitFor();
    await expectNarrow(page, "a sealed query");
    const connection = await open(provider.mcpUrl);
    expect(await field(page, "url").inputValue()).toBe(provider.mcpUrl);
    await page.locator("summary", { hasText: "how the key is sent" }).click();
    // The form's own look at an address would keep the rest from being sent.
    await page.evaluate("document.querySelector('input[name=url]').type = 'text'");
    const before = await provider.requests();
    const sent: unknown[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") sent.push(request.postDataJSON());
    });
    const outcomes = await refuseAll(page, ["credential", ...keyNames], something);
    for (const [at, { typed, beside }] of outcomes.entries()) {
      const [credential, address, key, name, prefix] = typed.map((text) => text.trim());
      const header = { name, prefix };
      const wanted = {
        reauthorize: connection.id,
        credential,
        url: address,
        fields: { api_key: key },
        header,
      };
      expect(sent[at]).toMatchObject(wanted);
      expect(beside[0]).toBe(noCredential);
    }
    // Without a credential the other fields are looked at.
    await field(page, "credential").fill("");
    for (const { beside } of await refuseAll(page, keyNames, something)) expect(beside.join("")).not.toBe("");
    await expectNarrow(page, "refused");
    expect(await provider.requests()).toEqual(before);
    quiet();
    await context.close();
  });
});
