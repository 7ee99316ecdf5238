import { describe, expect, it } from "vitest";
import { z } from "zod";
import { demoKey } from "../../scripts/demo-service/demo-service.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import { send, sharp, textsOf, typable, watched } from "../support/node/naughty-page.ts";
import { button, connectDemo, heading, settled } from "../support/node/page.ts";
import { isLabel } from "../support/naughty.ts";

let instance: Instance;
useInstance((started) => {
  instance = started;
});

const chromium = useBrowser();

skipWithoutBrowser();

const labels = typable.filter((text) => isLabel(text) && /[<&]|[^ -~]/.test(text)).map((text) => text.trim());

const labelSchema = z.object({ label: z.string() });
const outcomesSchema = z.array(z.object({ typed: z.string(), refused: z.boolean(), shown: z.string() }));

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

describe("naughty text as a label", () => {
  it("is kept to the letter or refused in the page", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "renamer");
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
    const { context, page, quiet } = await watched(chromium.browser, instance, "holder");
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

  it("is, as the first one, on the page that shows its credential", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "beginner");
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

  it("is what has to be typed to delete a connection, as it is drawn", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "deleter");
    for (const label of ["two  spaces", "no\u00A0break", "wide\u3000space", "x\u2028y"]) {
      const { id } = await connectDemo(instance, label, "deleter");
      await page.goto(`${instance.url}/#/connection/${id}`);
      await page.locator("h1").filter({ hasText: /\S/ }).waitFor();
      await button(page, "Delete for good").click();
      const dialog = page.getByRole("dialog");
      // What the eye sees, and a keyboard has.
      await dialog.locator("input[name=typed]").fill(label.replaceAll(/\s+/g, " "));
      const { status } = await send(page, "DELETE", () =>
        dialog.getByRole("button", { name: "Delete for good" }).click(),
      );
      expect([label, status]).toEqual([label, 200]);
      await heading(page, "Deleted for good").waitFor();
    }
    quiet();
    await context.close();
  });
});
