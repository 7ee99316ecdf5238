import { describe, expect, it } from "vitest";
import { z } from "zod";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import {
  expectNarrow,
  field,
  joined,
  refuseAll,
  send,
  sharp,
  textsOf,
  typable,
  type,
  watched,
  wide,
} from "../support/node/naughty-page.ts";
import { button, heading } from "../support/node/page.ts";
import { isLabel } from "../support/naughty.ts";

let instance: Instance;
useInstance((started) => {
  instance = started;
});

const chromium = useBrowser();

skipWithoutBrowser();

const tokensSchema = z.object({ tokens: z.array(z.object({ name: z.string() })) });

describe("naughty text in a field of the account", () => {
  it("names a token, and is text where it is shown, asked about and logged", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "coder");
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

  it("is searched for among the services as it is, and stays", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "seeker", {
      viewport: viewports.phone,
    });
    await page.goto(`${instance.url}/#/connect`);
    const search = page.getByLabel("Search services");
    await page.locator(".cards li").first().waitFor();
    const all = (await textsOf(page.locator(".cards li"))).length;
    for (const text of [...typable, ...wide]) {
      const typed = await type(search, text);
      if (!/[\r\n]/.test(text)) expect(typed).toBe(text);
      const found = await page.locator(".cards li").count();
      const words = typed.trim();
      if (words === "") expect(found).toBe(all);
      // Nothing of it is a part of what a service says of itself.
      else if (/[^\w\s.;,:'"/()-]/u.test(words) && words.length > 4)
        expect([words, found]).toEqual([words, 0]);
      expect(await search.inputValue()).toBe(typed);
    }
    await expectNarrow(page, "nothing found");
    // From a form and back it is still there.
    await search.fill(sharp[0]);
    await page.goto(`${instance.url}/#/connect/demo`);
    await heading(page, "Connect Demo notes").waitFor();
    await page.goBack();
    await heading(page, "Connect a service").waitFor();
    expect(await search.inputValue()).toBe(sharp[0]);
    quiet();
    await context.close();
  });

  it("is no head of the activity log, and is told so beside it", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "auditor", {
      viewport: viewports.phone,
    });
    await page.goto(`${instance.url}/#/activity`);
    await page.locator(".event").first().waitFor();
    await page.getByText("Compare with what you noted earlier").click();
    const asked: (string | null)[] = [];
    page.on("request", (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === "/api/events/verify") asked.push(searchParams.get("expect"));
    });
    const some = [...sharp, ...joined(typable, 80)];
    const outcomes = await refuseAll(page, ["expect"], some);
    for (const { beside } of outcomes) expect(beside).toEqual(["must be <seq>.<hash>"]);
    expect(asked).toEqual(outcomes.map(({ typed }) => typed[0]?.trim()));
    await expectNarrow(page, "no head");
    quiet();
    await context.close();
  });

  it("is no day of the activity log; a day is typed digit by digit", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "diarist");
    await page.goto(`${instance.url}/#/activity`);
    const events = page.locator(".event");
    await events.first().waitFor();
    for (const name of ["from", "to"]) {
      for (const text of [...sharp, "9".repeat(20)]) {
        await field(page, name).focus();
        await page.keyboard.type(text);
        // Of a text it takes the digits at most.
        await expect.poll(() => field(page, name).inputValue()).toMatch(/^(?:\d{4}-\d\d-\d\d)?$/);
        await field(page, name).fill("");
      }
    }
    // Anew: a date's input remembers which of its parts one was in.
    await page.reload();
    await events.first().waitFor();
    const wanted: URLSearchParams[] = [];
    page.on("request", (request) => {
      const { pathname, searchParams } = new URL(request.url());
      if (pathname === "/api/events") wanted.push(searchParams);
    });
    // Each digit of the year is a year already.
    await field(page, "from").focus();
    await page.keyboard.type("11222020");
    expect(await field(page, "from").inputValue()).toBe("2020-11-22");
    await field(page, "to").focus();
    await page.keyboard.type("01022021");
    expect(await field(page, "to").inputValue()).toBe("2021-01-02");
    await page.getByText("No event matches").waitFor();
    expect([...(wanted.at(-1) ?? [])]).toEqual([
      ["from", new Date("2020-11-22T00:00").toISOString()],
      ["to", new Date("2021-01-03T00:00").toISOString()],
    ]);
    // A year of more digits is no year that the log has: nothing is asked for it, and nothing breaks.
    for (const day of ["9999-12-31", "20266-12-31", "275760-09-13"]) {
      await page.evaluate(`(() => {
        const input = document.querySelector("input[name=to]");
        input.value = ${JSON.stringify(day)};
        input.dispatchEvent(new Event("input", { bubbles: true }));
      })()`);
    }
    await field(page, "from").fill("");
    await events.first().waitFor();
    // A day of 23 hours stays the one that was chosen.
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setTimezoneOverride", { timezoneId: "Europe/Berlin" });
    await field(page, "to").fill("2026-03-29");
    await expect.poll(() => wanted.at(-1)?.get("to")).toBe("2026-03-29T22:00:00.000Z");
    expect(await field(page, "to").inputValue()).toBe("2026-03-29");
    quiet();
    await context.close();
  });

  it("does not delete the account", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "stayer", {
      viewport: viewports.phone,
    });
    await page.goto(`${instance.url}/#/account`);
    await button(page, "Delete the account").click();
    const dialog = page.getByRole("dialog");
    const input = dialog.locator("input[name=typed]");
    let deletions = 0;
    page.on("request", (request) => {
      if (request.method() === "DELETE") deletions += 1;
    });
    for (const text of [
      ...sharp,
      ...joined(typable, 150),
      ...wide,
      "Delete my account",
      "delete my account!",
    ]) {
      const typed = await type(input, text);
      await page.keyboard.press("Enter");
      await dialog.locator(".field .field-error").waitFor();
      expect([typed, await input.inputValue()]).toEqual([typed, typed]);
    }
    expect(await textsOf(dialog.locator(".field-error"))).toEqual(["That is not “delete my account”."]);
    await expectNarrow(page, "not deleted");
    expect(deletions).toBe(0);
    expect((await instance.api("GET", "/api/me", undefined, "stayer")).status).toBe(200);
    quiet();
    await context.close();
  });
});
