import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { demoKey } from "../../scripts/demo-service/demo-service.ts";
import { chromiumPath, howToGetChromium, launchChromium, type Visit } from "../support/node/browser.ts";
import { startInstance } from "../support/node/instance.ts";
import { arrive, button, connectDemo, heading, settled } from "../support/node/page.ts";
import { isLabel, naughty } from "../support/naughty.ts";

let instance: Awaited<ReturnType<typeof startInstance>>;
let browser: Browser | undefined;

beforeAll(async () => {
  instance = await startInstance();
  if (chromiumPath !== undefined) browser = await launchChromium(chromiumPath);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await instance.close();
});

beforeEach(({ skip }) => skip(chromiumPath === undefined, howToGetChromium));

/** What a keyboard or the clipboard can bring (half a character is none), and is more than a word. */
const typable = naughty.filter(
  (text) => text.isWellFormed() && text.length <= 200 && !/^\w{0,20}$/.test(text),
);
const labels = typable.filter((text) => isLabel(text) && /[<&]|[^ -~]/.test(text)).map((text) => text.trim());
/** Each does something else where it is not taken as text. */
const sharp = [
  "<img src=x onerror=alert(1)>",
  '"><svg/onload=alert(1)>',
  "javascript:alert(1)",
  "$& $' $` $$ $1",
  "__proto__",
  "\u202Ereversed\u202C",
];

const problemSchema = z.object({ status: z.number(), code: z.string(), detail: z.string() });
const labelSchema = z.object({ label: z.string() });
const outcomesSchema = z.array(z.object({ typed: z.string(), refused: z.boolean(), shown: z.string() }));
const tokensSchema = z.object({ tokens: z.array(z.object({ name: z.string() })) });
const shownSchema = z.array(z.string());

/** A page that must neither run what it shows, nor ask another origin for anything. */
async function watched(user: string): Promise<Visit & { quiet: () => void }> {
  const visit = await arrive(browser, instance, undefined, user);
  const dialogs: string[] = [];
  visit.page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const quiet = (): void => {
    expect(dialogs).toEqual([]);
    expect(visit.watched.foreign).toEqual([]);
    // What a server refuses is no fault of the page; Chromium itself reports it.
    const complaints = visit.watched.complaints.filter(
      (text) => !/the server responded with a status of 4\d\d/.test(text),
    );
    expect(complaints).toEqual([]);
  };
  return { ...visit, quiet };
}

/** Text as the page holds it: what is drawn may have its spaces folded. */
async function textsOf(found: Locator): Promise<readonly string[]> {
  return shownSchema.parse(await found.allTextContents());
}

/** Fills in a field, and answers what it then holds: a browser drops line breaks itself. */
async function type(field: Locator, text: string): Promise<string> {
  await field.fill(text);
  return await field.inputValue();
}

/** What the page sent, and what it was answered. */
async function send(page: Page, method: string, act: () => Promise<void>) {
  const answered = page.waitForResponse((response) => response.request().method() === method);
  await act();
  const response = await answered;
  const sent: unknown = response.request().postDataJSON();
  const body: unknown = response.status() === 204 ? null : await response.json();
  return { status: response.status(), sent, body };
}

/** Types and saves one label after the other, in the page itself: from here each would take a hundred times as long. */
const renameAll = (texts: readonly string[]): string => `(async () => {
  const until = async (find) => {
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      const found = find();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error("the page did not get on");
  };
  const rename = () => [...document.querySelectorAll("button")].find((each) => each.textContent === "Rename");
  const outcomes = [];
  for (const text of ${JSON.stringify(texts)}) {
    (await until(rename)).click();
    const input = await until(() => document.querySelector(".rename input"));
    input.value = text;
    const typed = input.value;
    input.form.requestSubmit();
    const error = () => document.querySelector(".rename .field-error")?.textContent;
    await until(() => rename() || error());
    const refused = !rename();
    if (refused) [...input.form.querySelectorAll("button")].at(-1).click();
    await until(rename);
    outcomes.push({ typed, refused, shown: document.querySelector("h1").textContent });
  }
  return outcomes;
})()`;

describe("naughty text", () => {
  it("as a label is kept to the letter or refused in the page", async () => {
    const { context, page, quiet } = await watched("renamer");
    const { id } = await connectDemo(instance, "Before", "renamer");
    await page.goto(`${instance.url}/#/connection/${id}`);
    await heading(page, "Before").waitFor();
    const [sent, expected]: [unknown[], unknown[]] = [[], []];
    page.on("request", (request) => {
      if (request.method() === "PATCH") sent.push(request.postDataJSON());
    });
    const renamed = await page.evaluate(renameAll(typable));
    const outcomes = outcomesSchema.parse(renamed);
    let known = "Before";
    for (const [at, { typed, refused, shown }] of outcomes.entries()) {
      const text = typable[at] ?? "";
      if (!/[\r\n]/.test(text)) expect(typed).toBe(text);
      expect([text, refused]).toEqual([text, !isLabel(typed)]);
      // What is the label already is not sent again.
      if (typed.trim() !== known) expected.push({ label: typed.trim() });
      if (!refused) known = typed.trim();
      expect(shown).toBe(known);
    }
    expect(outcomes).toHaveLength(typable.length);
    expect(sent).toEqual(expected);
    const stored = await instance.api("GET", `/api/connections/${id}`, undefined, "renamer");
    expect(labelSchema.parse(stored.body).label).toBe(known);
    quiet();
    await context.close();
  });

  it("is text in the list, the activity log, its filters and the dialogs", async () => {
    const made = new Map<string, string>();
    const all = [...new Set([...sharp, ...labels])];
    for (const label of all) made.set(label, (await connectDemo(instance, label, "holder")).id);
    const { context, page, quiet } = await watched("holder");
    const links = page.locator(".row-link");
    await links.first().waitFor();
    while (await button(page, "Show more").isVisible()) {
      const before = await links.count();
      await button(page, "Show more").click();
      await links.nth(before).waitFor();
    }
    expect((await textsOf(links)).toSorted()).toEqual(all.toSorted());
    const [first] = await textsOf(links);
    expect(await page.locator("summary").first().getAttribute("aria-label")).toBe(`Manage ${first}`);

    await page.goto(`${instance.url}/#/activity`);
    await page.locator(".event-where a").first().waitFor();
    const known = new Set(all);
    for (const shown of await textsOf(page.locator(".event-where a"))) expect(known).toContain(shown);
    for (const shown of (await textsOf(page.locator("select[name=connection] option"))).slice(1))
      expect(known).toContain(shown);

    for (const label of sharp) {
      await page.goto(`${instance.url}/#/connection/${made.get(label) ?? ""}`);
      await page.locator("h1").filter({ hasText: /\S/ }).waitFor();
      await settled(page);
      const open = page.getByRole("dialog");
      await button(page, "Disconnect").click();
      await open.waitFor();
      expect(await textsOf(open.locator("h2"))).toEqual([`Disconnect ${label}?`]);
      await page.keyboard.press("Escape");
      await open.waitFor({ state: "detached" });
      await button(page, "Delete for good").click();
      await open.waitFor();
      expect(await textsOf(open.locator("h2"))).toEqual([`Delete ${label} for good?`]);
      expect(await textsOf(open.locator("label"))).toEqual([`Type “${label}” to confirm`]);
      await open.locator("input").fill(`${label}x`);
      await open.getByRole("button", { name: "Delete for good" }).click();
      await open.locator(".field .field-error").waitFor();
      expect(await textsOf(open.locator(".field .field-error"))).toEqual([`That is not “${label}”.`]);
      await open.locator("input").fill(label);
      const { status } = await send(page, "DELETE", () =>
        open.getByRole("button", { name: "Delete for good" }).click(),
      );
      expect([label, status]).toEqual([label, 200]);
      await heading(page, "Deleted for good").waitFor();
    }
    quiet();
    await context.close();
  });

  it("names a token, and is text where it is shown, asked about and logged", async () => {
    const { context, page, quiet } = await watched("coder");
    await page.goto(`${instance.url}/#/tokens`);
    await page.getByText("No tokens yet").waitFor();
    const kept: string[] = [];
    for (const text of [...sharp, "💥".repeat(51), "x".repeat(101), "\u3000"]) {
      await button(page, "New token").click();
      const typed = await type(page.getByLabel("Name", { exact: true }), text);
      expect(typed).toBe(text);
      const { status, sent } = await send(page, "POST", () => button(page, "Create the token").click());
      expect(sent).toMatchObject({ name: typed.trim() });
      if (isLabel(text)) {
        expect([text, status]).toEqual([text, 201]);
        kept.push(text);
        await button(page, "I have saved it").click();
      } else {
        expect(status).toBe(400);
        await page.locator(".field .field-error").waitFor();
        await button(page, "Cancel").click();
      }
    }
    await page.reload();
    await page.getByRole("list", { name: "API tokens" }).waitFor();
    const names = await textsOf(page.locator(".row-token h2"));
    expect(names.toSorted()).toEqual(kept.toSorted());
    const { body } = await instance.api("GET", "/api/tokens", undefined, "coder");
    expect(tokensSchema.parse(body).tokens.map(({ name }) => name)).toEqual(names);
    for (const [at, name] of names.entries()) {
      await page.locator(".row-token button").nth(at).click();
      const open = page.getByRole("dialog");
      await open.waitFor();
      expect(await textsOf(open.locator("h2"))).toEqual([`Revoke ${name}?`]);
      await page.keyboard.press("Escape");
      await open.waitFor({ state: "detached" });
    }
    await page.goto(`${instance.url}/#/activity`);
    await page.locator(".event").first().waitFor();
    quiet();
    await context.close();
  });

  it("in the fields of a server and its key is refused beside them, and nothing is asked of anybody", async () => {
    const { context, page, quiet } = await watched("visitor");
    await page.goto(`${instance.url}/#/connect/custom`);
    await page.getByRole("radio", { name: "Use a key" }).check();
    await page.locator("summary", { hasText: "Advanced: how the key is sent" }).click();
    const field = (name: string) => page.locator(`input[name="${name}"]`);
    for (const text of sharp) {
      for (const name of ["header.name", "header.prefix", "fields.api_key", "label"])
        expect(await type(field(name), text)).toBe(text);
      // The form's own look at an address would keep the rest from being sent.
      await page.evaluate("document.querySelector('input[name=url]').type = 'text'");
      expect(await type(field("url"), text)).toBe(text);
      const { status, sent, body } = await send(page, "POST", () =>
        button(page, "Check the key and connect").click(),
      );
      expect(sent).toMatchObject({
        url: text,
        label: text,
        fields: { api_key: text },
        header: { name: text, prefix: text },
      });
      expect(problemSchema.parse(body)).toMatchObject({ status, code: "invalid_request" });
      await page.locator(".field .field-error").first().waitFor();
      // What was typed stays to be corrected.
      expect(await field("label").inputValue()).toBe(text);
    }
    await page.goto(`${instance.url}/#/connect/demo`);
    await page.getByRole("radio", { name: "Use a key" }).check();
    for (const text of sharp) {
      await page.getByLabel("Demo key", { exact: true }).fill(text);
      const { status, body } = await send(page, "POST", () =>
        button(page, "Check the key and connect").click(),
      );
      expect(problemSchema.parse(body).status).toBe(status);
      await page.locator(".field-error, .notice").first().waitFor();
    }
    quiet();
    await context.close();
  });

  it("as a connection's first label is on the page that shows its credential", async () => {
    const { context, page, quiet } = await watched("beginner");
    for (const text of sharp) {
      await page.goto(`${instance.url}/#/connect/demo`);
      await page.getByRole("radio", { name: "Use a key" }).check();
      await page.getByLabel("Demo key", { exact: true }).fill(demoKey);
      await page.locator("input[name=label]").fill(text);
      const { sent, status } = await send(page, "POST", () =>
        button(page, "Check the key and connect").click(),
      );
      expect([sent, status]).toEqual([expect.objectContaining({ label: text }), 201]);
      await heading(page, "Save your credential now").waitFor();
      expect(await textsOf(page.locator(".eyebrow"))).toEqual([`Connected: ${text}`]);
      await button(page, "I have saved it").click();
    }
    quiet();
    await context.close();
  });
});
