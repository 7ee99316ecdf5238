import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { demoKey } from "../../scripts/demo-service/demo-service.ts";
import type { Price } from "../../src/dashboard/billing-schemas.ts";
import { breakdownOf, money, tierWords, totalOf } from "../../src/dashboard/price.ts";
import { expectFine } from "../support/node/accessibility.ts";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { arrive, button, connectDemo, heading, settled, toolsAt } from "../support/node/page.ts";
import { payAtDouble, type PayingInstance } from "../support/node/paying.ts";

let paying: PayingInstance;
let plain: Instance;

beforeAll(async () => {
  paying = await payAtDouble({ demo: true, page: true });
  plain = await startInstance({ demo: false });
});

afterAll(async () => {
  await plain.close();
  await paying.close();
});

const chromium = useBrowser();

skipWithoutBrowser();

const looks = [
  { name: "wide, light", viewport: viewports.wide, colorScheme: "light" as const },
  { name: "phone, dark", viewport: viewports.phone, colorScheme: "dark" as const },
];

const panel = (page: Page) => page.getByRole("region", { name: "Plan and billing" });
const dialog = (page: Page) => page.getByRole("dialog");
const plan = (page: Page, words: string) => panel(page).locator(".plan-state", { hasText: words }).waitFor();

async function visit(page: Page, hash: string, title: string): Promise<void> {
  // From elsewhere, so that the page begins anew.
  await page.goto("about:blank");
  await page.goto(`${paying.instance.url}/${hash}`);
  await heading(page, title).waitFor();
  await settled(page);
}

/** The states in the list of connections, by label. */
async function statesOf(page: Page): Promise<Record<string, string>> {
  await visit(page, "#/", "Connections");
  const rows = await page.getByRole("list", { name: "Connections" }).getByRole("listitem").all();
  const pairs = await Promise.all(
    rows.map(async (row) => [
      await row.getByRole("heading").innerText(),
      await row.locator(".state").innerText(),
    ]),
  );
  return Object.fromEntries(pairs);
}

const [working, suspended] = ["Never used", "Suspended"];

const objects = z.object({ subscriptions: z.array(z.object({ id: z.string() })) });

/** What happens to the one subscription there is without anybody here doing it. */
async function happen(what: string): Promise<void> {
  const [subscription] = objects.parse(await paying.say({ do: "objects" })).subscriptions;
  await paying.say({ do: "change", subscription: subscription?.id, what });
}

async function expectPlan(name: string, user: string): Promise<void> {
  const ask = async () => {
    const { body } = await paying.instance.api("GET", "/api/me", undefined, user);
    return z.object({ plan: z.object({ name: z.string() }) }).parse(body).plan.name;
  };
  await expect.poll(ask).toBe(name);
}

/** To Stripe's page for what is paid, one button there, and back. */
async function atPortal(page: Page, words: string, press: string): Promise<void> {
  await panel(page).getByRole("button", { name: words }).click();
  await page.waitForURL(`${paying.stripeUrl}/p/**`);
  await button(page, press).click();
  await page.getByRole("link", { name: "Return" }).click();
  await heading(page, "Account").waitFor();
  await settled(page);
}

describe("the plan in the page", () => {
  it("is walked from the trial to a payment that comes late", async () => {
    const { instance } = paying;
    const user = "payer";
    await paying.say({ do: "endpoint", ...paying.endpoint });
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.wide, user);
    await page.getByRole("link", { name: "Account" }).click();
    await plan(page, "Free trial, 5 days left");
    await panel(page).getByText("€5.00 a month for each of the first 10 connections").waitFor();
    await panel(page).getByText("€3.50 a month for each further one").waitFor();
    await panel(page).getByLabel("How many connections to pay for").fill("12");
    await panel(page).getByText("10 × €5.00 + 2 × €3.50 = €57.00 a month").waitFor();
    await expectFine(page, "trial", looks);

    const made: Record<string, string> = {};
    for (const label of ["First", "Second", "Third"]) {
      made[label] = (await connectDemo(instance, label, user)).secretUrl;
    }
    await instance.database
      .prepare(
        `UPDATE workspaces SET created_at = created_at - 6 * 86400000, settle_at = 0
         WHERE id = (SELECT workspace_id FROM connections WHERE label = 'First')`,
      )
      .run();
    await expect(toolsAt(made["First"] ?? "")).rejects.toThrow(/suspended.*#\/billing/);
    await visit(page, "#/connect/demo", "Connect Demo notes");
    await page.getByRole("radio", { name: "Use a key" }).check();
    await page.getByLabel("Demo key", { exact: true }).fill(demoKey);
    await button(page, "Check the key and connect").click();
    await page.getByText("Your plan allows 0 connections").waitFor();
    await expectFine(page, "over the limit", looks);
    await page.getByRole("link", { name: "Plan and billing" }).click();
    await plan(page, "No plan");
    await panel(page).getByText("The free trial has ended.").waitFor();
    await expect.poll(() => page.locator(":focus").innerText()).toBe("Plan and billing");
    await expectFine(page, "no plan", looks);
    expect(await statesOf(page)).toEqual({ First: suspended, Second: suspended, Third: suspended });

    // There and back without paying, then for good.
    await page.getByRole("link", { name: "Restore Third" }).click();
    await panel(page).getByLabel("How many connections to pay for").fill("2");
    await button(page, "Pay at Stripe").click();
    await page.waitForURL(`${paying.stripeUrl}/c/**`);
    await page.getByRole("link", { name: "Back" }).click();
    await panel(page).getByText("Nothing was paid").waitFor();
    await plan(page, "No plan");
    await panel(page).getByLabel("How many connections to pay for").fill("2");
    await button(page, "Pay at Stripe").click();
    await page.waitForURL(`${paying.stripeUrl}/c/**`);
    const seen = Promise.withResolvers<void>();
    await page.route("**/api/billing/verify", async (route) => {
      await seen.promise;
      await route.continue();
    });
    await button(page, "Pay").click();
    await panel(page).getByText("Asking Stripe what came of your payment …").waitFor();
    seen.resolve();
    await panel(page).getByText("Paid", { exact: true }).waitFor();
    await page.unroute("**/api/billing/verify");
    await plan(page, "Active, 2 connections");
    expect(page.url()).toBe(`${instance.url}/#/billing`);
    await expectFine(page, "paid", looks);
    expect(await statesOf(page)).toEqual({ First: working, Second: working, Third: suspended });
    await expect(toolsAt(made["Third"] ?? "")).rejects.toThrow("suspended");
    await expectFine(page, "newest suspended", looks);

    // More, after seeing what it costs; a refused payment changes nothing.
    await visit(page, "#/billing", "Account");
    await panel(page).getByLabel("Connections to pay for").fill("3");
    await paying.say({ do: "decline", on: true });
    await button(page, "See what changes").click();
    await dialog(page).getByText("Now you pay €5.00").waitFor();
    await dialog(page).getByText("it is €15.00 a month").waitFor();
    await dialog(page).getByRole("button", { name: "Pay €5.00 and change" }).click();
    await dialog(page).getByText("refused the payment").waitFor();
    await expectFine(page, "preview refused", looks);
    await paying.say({ do: "decline", on: false });
    await dialog(page).getByRole("button", { name: "Pay €5.00 and change" }).click();
    await plan(page, "Active, 3 connections");
    await dialog(page).waitFor({ state: "detached" });
    await panel(page).getByLabel("Connections to pay for").fill("2");
    await button(page, "See what changes").click();
    await dialog(page).getByText("€5.00 for the rest of this period is credited").waitFor();
    await dialog(page).getByText("the newest one is suspended").waitFor();
    await dialog(page).getByRole("button", { name: "Leave it as it is" }).click();
    expect(await statesOf(page)).toEqual({ First: working, Second: working, Third: working });
    expect(await toolsAt(made["Third"] ?? "")).toContain("list_notes");

    // A payment is missed, and made.
    await happen("miss");
    await expectPlan("past_due", user);
    await visit(page, "#/billing", "Account");
    await plan(page, "Payment missing");
    await panel(page)
      .getByText(/go on until \w{3} \d/)
      .waitFor();
    await expectFine(page, "past due", looks);
    await atPortal(page, "Pay at Stripe", "Pay invoice");
    await plan(page, "Active, 3 connections");

    // Cancelled for the end of the period, gone on with, and not paid until the grace was over.
    await atPortal(page, "Manage at Stripe", "Cancel subscription");
    await plan(page, "Cancelled, paid until");
    await atPortal(page, "Manage at Stripe", "Renew subscription");
    await plan(page, "Active, 3 connections");
    await paying.say({ do: "advance", seconds: -4 * 86_400 });
    await happen("miss");
    await paying.say({ do: "advance", seconds: 4 * 86_400 });
    await expectPlan("none", user);
    expect(await statesOf(page)).toEqual({ First: suspended, Second: suspended, Third: suspended });
    await page.getByRole("link", { name: "Restore First" }).click();
    await panel(page).getByText("The last payment is overdue.").waitFor();
    await atPortal(page, "Pay at Stripe", "Pay invoice");
    await plan(page, "Active, 3 connections");
    expect(await statesOf(page)).toEqual({ First: working, Second: working, Third: "Working" });

    // A refusal is a response with an error's status, which Chromium itself reports.
    expect(watched.complaints.filter((text) => !text.includes("status of 402"))).toEqual([]);
    const pages = ["c", "p"].map((kind) => `${paying.stripeUrl}/${kind}/`);
    expect(watched.foreign.filter((url) => !pages.some((start) => url.startsWith(start)))).toEqual([]);
    await context.close();
  });

  it("believes Stripe and not the link that leads back", async () => {
    const user = "returner";
    const { context, page } = await arrive(chromium.browser, paying.instance, viewports.phone, user);
    const { body } = await paying.instance.api("POST", "/api/billing/checkout", { quantity: 1 }, user);
    const { url, session_id: id } = z.object({ url: z.url(), session_id: z.string() }).parse(body);
    // From a mail or another tab: the link alone says which checkout it was.
    await page.goto(`${paying.instance.url}/#/billing?checkout=${id}`);
    await panel(page).getByText("Nothing was paid").waitFor();
    await paying.pay({ url, session_id: id }, 1);
    await page.goto(`${paying.instance.url}/#/billing?checkout=${id}`);
    await panel(page).getByText("Paid", { exact: true }).waitFor();
    await page.goto(`${paying.instance.url}/#/billing?checkout=cs_of_somebody_else`);
    await panel(page).getByText("Not your payment").waitFor();
    await plan(page, "Active, 1 connection");
    await context.close();
  });

  it("is loading, failing and offline as every view is", async () => {
    const { context, page } = await arrive(chromium.browser, paying.instance, viewports.phone, "waiter");
    const answer = Promise.withResolvers<void>();
    await page.route("**/api/billing", async (route) => {
      await answer.promise;
      await route.fulfill({
        status: 503,
        json: { title: "Storage", status: 503, code: "storage_unavailable", detail: "Down for a minute." },
      });
    });
    await page.goto(`${paying.instance.url}/#/billing`);
    await panel(page).locator(".skeleton").waitFor();
    await expectFine(page, "loading", looks);
    answer.resolve();
    await panel(page).getByText("Down for a minute.").waitFor();
    await expectFine(page, "failed", looks);
    await page.unroute("**/api/billing");
    await button(page, "Try again").click();
    await plan(page, "Free trial");
    await paying.say({ do: "fail", times: 1 });
    await button(page, "Pay at Stripe").click();
    await panel(page).getByText("Stripe did not do what was asked.").waitFor();
    await expectFine(page, "stripe failing", looks);
    await context.setOffline(true);
    await button(page, "Pay at Stripe").click();
    await panel(page).getByText("This device is offline.").waitFor();
    await context.setOffline(false);
    await context.close();
  });

  it.each(looks)("takes the place that was kept for it: $name", async ({ viewport }) => {
    const { context, page, watched } = await arrive(chromium.browser, paying.instance, viewport, "watcher");
    await page.route("**/api/**", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await route.continue();
    });
    await page.goto("about:blank");
    // On a quiet machine the answer would be there before anybody could see what stands in for it.
    const seen = Promise.withResolvers<void>();
    await page.route("**/api/billing", async (route) => {
      await seen.promise;
      await route.continue();
    });
    await page.goto(`${paying.instance.url}/#/account`);
    await panel(page).locator(".skeleton").waitFor();
    seen.resolve();
    await plan(page, "Free trial");
    expect(await watched.layoutShift()).toBeLessThan(0.01);
    await context.close();
  });
});

const tier = (up_to: number | null, unit_amount: string, flat_amount = "0") => ({
  up_to,
  unit_amount,
  flat_amount,
});
const price = (changes: Partial<Price>): Price => ({
  currency: "usd",
  interval: "month",
  interval_count: 1,
  tiers_mode: "graduated",
  tiers: [tier(null, "500")],
  ...changes,
});

describe("the price in words", () => {
  it("graduated: each connection costs what its own tier says", () => {
    const graduated = price({ tiers: [tier(1, "0", "900"), tier(10, "500"), tier(null, "350.5", "1000")] });
    expect(tierWords(graduated)).toEqual([
      "$9.00 a month for the first connection",
      "$5.00 a month for each of connections 2 to 10",
      "$3.505 a month for each further one, and $10.00 a month for all further ones together",
    ]);
    expect([1, 2, 10, 12].map((quantity) => totalOf(graduated, quantity))).toEqual([900, 1400, 5400, 7101]);
    expect(breakdownOf(graduated, 12)).toBe("$9.00 + 9 × $5.00 + 2 × $3.505 + $10.00");
    expect(breakdownOf(price({}), 1)).toBe("");
  });

  it("volume: all cost what the last one's tier says", () => {
    const volume = price({ tiers_mode: "volume", tiers: [tier(5, "500"), tier(null, "400", "100")] });
    expect(tierWords(volume)).toEqual([
      "$5.00 a month for each of 1 to 5",
      "$4.00 a month for each of more than 5, and $1.00 a month for more than 5 together",
    ]);
    expect([5, 6].map((quantity) => totalOf(volume, quantity))).toEqual([2500, 2500]);
    expect(breakdownOf(volume, 6)).toBe("6 × $4.00 + $1.00");
  });

  it("says amounts in the currency's own unit, and the period", () => {
    const yen = price({ currency: "jpy", tiers_mode: null, interval: "year", interval_count: 2 });
    expect(tierWords(yen)).toEqual(["¥500 every 2 years for each connection"]);
    expect([money(1050, "kwd"), money(-499, "eur"), money(120, "huf")]).toEqual([
      "KWD\u00A01.050",
      "-€4.99",
      "HUF\u00A01.20",
    ]);
  });
});

describe("without Stripe", () => {
  it("nothing of billing shows, and nothing of it is asked for", async () => {
    const { context, page, watched } = await arrive(chromium.browser, plain, viewports.wide, "owner");
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${plain.url}/#/account`);
    await page.getByText("owner@localhost").last().waitFor();
    await settled(page);
    expect(await page.locator("body").innerText()).not.toMatch(/billing|stripe|plan\b|trial|pay\b/i);
    await page.goto(`${plain.url}/#/billing`);
    await heading(page, "There is nothing here").waitFor();
    expect(asked.filter((path) => path.includes("billing"))).toEqual([]);
    expect(watched.complaints).toEqual([]);
    expect(watched.foreign).toEqual([]);
    await context.close();
  });
});
