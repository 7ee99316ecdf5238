import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { traces, viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import { listenOnLoopback, type Listening } from "../support/node/listening.ts";
import {
  expectNarrow,
  field,
  refuseAll,
  sharp,
  typable,
  type,
  watched,
} from "../support/node/naughty-page.ts";
import { button, heading } from "../support/node/page.ts";

let instance: Instance;
useInstance((started) => {
  instance = started;
});
/** An MCP server that takes any key in any header. */
let server: Listening;
/** The names and values of its requests' headers in turn, as they arrived; in each the address first. */
const arrived: (readonly string[])[] = [];

beforeAll(async () => {
  server = await listenOnLoopback(0, (request, response) => {
    arrived.push([request.url ?? "", ...request.rawHeaders]);
    request.resume();
    const result = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      serverInfo: { name: "odd", version: "1" },
    };
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
  });
});

afterAll(async () => await server.close());

const chromium = useBrowser();

skipWithoutBrowser();

const servicesSchema = z.object({
  services: z.array(
    z.object({
      id: z.string(),
      key_available: z.boolean(),
      key_modes: z.array(z.object({ label: z.string(), fields: z.array(z.object({ name: z.string() })) })),
    }),
  ),
});
const connectedSchema = z.object({ connection: z.object({ id: z.string(), upstream_url: z.string() }) });

const formNames = ["url", "fields.api_key", "header.name", "header.prefix", "label"];
/** A key is one word of visible ASCII; all of those that mean something to a shell, a template, a page or a query. */
const words = typable.filter((text) => /^[!-~]+$/.test(text) && /[<"'%\\$&{`]/.test(text));
const longKey = `keep-out${words.join("|")}`;
const headers = [
  ["__proto__", '"><svg/onload=alert(1)>'],
  ["constructor", "$& $' $1"],
  ["X-Odd!#$%&'*+.^_`|~", ""],
  ["Authorization", "%0d%0aX: y"],
] as const;

/** The bodies of the page's POSTs so far. */
function collectSent(page: Page): unknown[] {
  const sent: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(request.postDataJSON());
  });
  return sent;
}

/** The form for a key, with all of its fields in sight. */
async function openKeyForm(page: Page, service: string): Promise<void> {
  await page.goto(`${instance.url}/#/connect/${service}`);
  await page.getByRole("heading", { level: 1, name: /^Connect / }).waitFor();
  const way = page.getByRole("radio", { name: "Use a key" });
  if (await way.isVisible()) await way.check();
  const advanced = page.locator("summary", { hasText: "how the key is sent" });
  if (await advanced.isVisible()) await advanced.click();
}

/** The form's own look at an address would keep the rest from being sent. */
const withoutLook = (page: Page) => page.evaluate("document.querySelector('input[name=url]').type = 'text'");

describe("naughty text in a form for a key", () => {
  it("is refused beside the fields of any server, and nothing is asked of anybody", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "visitor", {
      viewport: viewports.phone,
    });
    await openKeyForm(page, "custom");
    await withoutLook(page);
    const sent = collectSent(page);
    const outcomes = await refuseAll(page, formNames, [...typable, "x".repeat(4097)]);
    for (const [at, { typed, said, beside }] of outcomes.entries()) {
      const [url = "", key = "", name = "", prefix = "", label = ""] = typed.map((text) => text.trim());
      expect(sent[at]).toEqual({
        service: "custom",
        fields: { api_key: key },
        ...(url === "" ? {} : { url }),
        ...(label === "" ? {} : { label }),
        ...(name === "" && prefix === "" ? {} : { header: { name: name || "Authorization", prefix } }),
        storage: "zero_knowledge",
      });
      expect(beside.some((sentence) => sentence !== "")).toBe(true);
      // Each sentence stands beside a field, and what heads them all says so.
      expect(said.filter((sentence) => !beside.includes(sentence))).toEqual([
        "Not connectedCorrect what is marked here, then try again.",
      ]);
    }
    await expectNarrow(page, "refused");
    expect(arrived).toEqual([]);
    // The browser's own look at an address stops what is none, and loses nothing either.
    await openKeyForm(page, "demo");
    await openKeyForm(page, "custom");
    const before = sent.length;
    await field(page, "fields.api_key").fill("key");
    for (const text of ["not an address", ...sharp.filter((each) => !URL.canParse(each))]) {
      await field(page, "url").fill(text);
      await button(page, "Check the key and connect").click();
      expect(await field(page, "url").inputValue()).toBe(text);
    }
    expect(sent).toHaveLength(before);
    // What is longer than any key is not cut to one.
    expect(await type(field(page, "fields.api_key"), "x".repeat(4097))).toHaveLength(4097);
    quiet();
    await context.close();
  });

  it("is refused in the key fields of every service", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "collector", {
      viewport: viewports.phone,
    });
    const sent = collectSent(page);
    const { services } = servicesSchema.parse((await instance.api("GET", "/api/services")).body);
    const keyed = services.filter(({ key_available: taken, id }) => taken && id !== "custom");
    expect(keyed.length).toBeGreaterThan(10);
    // Neither is a key: the one has spaces, the other is longer than any.
    const texts = [sharp[0], "x".repeat(4097)];
    for (const { id, key_modes: modes } of keyed) {
      for (const { label, fields } of modes) {
        await openKeyForm(page, id);
        if (modes.length > 1) await page.getByRole("radio", { name: label, exact: true }).check();
        sent.length = 0;
        const outcomes = await refuseAll(
          page,
          fields.map(({ name }) => `fields.${name}`),
          texts,
        );
        for (const { beside } of outcomes)
          expect([id, beside.filter((sentence) => sentence === "")]).toEqual([id, []]);
        const expected = texts.map((text) => Object.fromEntries(fields.map(({ name }) => [name, text])));
        expect(sent).toEqual(expected.map((each) => expect.objectContaining({ service: id, fields: each })));
        await expectNarrow(page, `${id}: ${label}`);
      }
    }
    quiet();
    await context.close();
  });

  it("reaches the server to the letter where a header can hold it, and is shown nowhere", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "sender");
    const path = `/mcp/%3Cimg%20src=x%20onerror=alert(1)%3E?q='"$&<svg/onload=alert(1)>`;
    const url = new URL(path, server.url).href;
    for (const [name, prefix] of headers) {
      await openKeyForm(page, "custom");
      expect(await type(field(page, "url"), server.url + path)).toBe(server.url + path);
      expect(await type(field(page, "fields.api_key"), longKey)).toBe(longKey);
      expect(await type(field(page, "header.name"), name)).toBe(name);
      expect(await type(field(page, "header.prefix"), prefix)).toBe(prefix);
      arrived.length = 0;
      const answered = page.waitForResponse((response) => response.request().method() === "POST");
      await button(page, "Check the key and connect").click();
      await heading(page, "Save your credential now").waitFor();
      const { connection } = connectedSchema.parse(await (await answered).json());
      // What follows the ? may be a key: it is sealed.
      expect(connection.upstream_url).toBe(`${url.slice(0, url.indexOf("?"))}?…`);
      const [[address, ...raw] = []] = arrived;
      expect(server.url + (address ?? "")).toBe(url);
      const found = raw.findIndex(
        (each, index) => index % 2 === 0 && each.toLowerCase() === name.toLowerCase(),
      );
      expect([name, raw[found + 1]]).toEqual([name, prefix === "" ? longKey : `${prefix} ${longKey}`]);
      expect(await traces(page)).not.toContain("keep-out");
      await button(page, "I have saved it").click();
    }
    const host = new URL(server.url).host;
    expect(await page.locator(".row-host").first().textContent()).toBe(` · ${host}`);
    quiet();
    await context.close();
  });
});
