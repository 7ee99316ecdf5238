import { beforeAll, describe, expect, it } from "vitest";
import { demoKey } from "../../scripts/demo-service/demo-service.ts";
import { accessibilityFindings, expectFine } from "../support/node/accessibility.ts";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import { arrive, button, connectDemo, heading, settled } from "../support/node/page.ts";
import { signIn } from "../support/node/sign-in.ts";

const byteBudget = 150_000;
const shiftBudget = 0.01;

let instance: Instance;
useInstance((started) => {
  instance = started;
});
let views: Record<string, { hash: string; title: string }>;

beforeAll(async () => {
  const held = await connectDemo(instance, "Work notes");
  const managed = await signIn(instance, { service: "demo", label: "Personal", storage: "managed" });
  const waiting = await signIn(instance, { service: "demo", label: "Ended there" });
  const gone = await signIn(instance, { service: "demo", label: "Old ones" });
  await instance.api("DELETE", `/api/connections/${gone.connection.id}`);
  const { database } = instance;
  const ended = database.prepare("UPDATE connections SET state = 'reauth' WHERE id = ?");
  await ended.bind(waiting.connection.id).run();
  const used = database.prepare(
    "INSERT INTO usage_days (connection_id, day, requests, errors, refreshes) VALUES (?, ?, 120, 4, 2)",
  );
  const today = Math.floor(Date.now() / 86_400_000);
  await database.batch([1, 2, 5, 8].map((ago) => used.bind(held.id, today - ago)));
  await instance.api("POST", "/api/tokens", { name: "CI", scope: "read", expires_in_days: 90 });
  await instance.api("POST", "/api/tokens", { name: "Backup", scope: "manage" });
  const nowhere = "There is nothing here";
  views = {
    connections: { hash: "#/", title: "Connections" },
    gallery: { hash: "#/connect", title: "Connect a service" },
    connect: { hash: "#/connect/demo", title: "Connect Demo notes" },
    custom: { hash: "#/connect/custom", title: "Connect any MCP server" },
    ownApp: { hash: "#/connect/slack", title: "Connect Slack" },
    detail: { hash: `#/connection/${held.id}`, title: "Work notes" },
    waiting: { hash: `#/connection/${waiting.connection.id}`, title: "Ended there" },
    gone: { hash: `#/connection/${gone.connection.id}`, title: "Old ones" },
    newKey: { hash: `#/again/${held.id}`, title: "Replace the key of Work notes" },
    again: { hash: `#/again/${managed.connection.id}`, title: "Re-authorize Personal" },
    log: { hash: "#/activity", title: "Activity log" },
    tokens: { hash: "#/tokens", title: "API tokens" },
    account: { hash: "#/account", title: "Account" },
    nowhere: { hash: "#/nowhere/at/all", title: nowhere },
    noSuch: { hash: "#/connection/con_00000000000000000000000000000000", title: nowhere },
  };
});

const chromium = useBrowser();

const looks = [
  { name: "phone, dark", viewport: viewports.phone, colorScheme: "dark" as const },
  { name: "wide, light", viewport: viewports.wide, colorScheme: "light" as const },
];

const hashOf = (name: string): string => views[name]?.hash ?? "";

describe("every page", () => {
  skipWithoutBrowser();

  it("T23 is accessible, quiet, of one origin and within its budget", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance);
    for (const { hash, title } of Object.values(views)) {
      await page.goto(`${instance.url}/${hash}`);
      await heading(page, title).waitFor();
      await settled(page);
      await expect.poll(() => page.title(), { message: hash }).toMatch(/.+ · Bindify$/);
      await expectFine(page, hash, looks);
    }
    // What is not there is refused with 404, which Chromium itself reports.
    expect(watched.complaints.filter((text) => !text.includes("status of 404"))).toEqual([]);
    expect(watched.foreign).toEqual([]);
    expect(await watched.transferred()).toBeLessThan(byteBudget);
    await context.close();
  });

  it("dialogs and forms are accessible, and operated by keyboard", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance);
    await page.goto(`${instance.url}/${hashOf("detail")}`);
    await heading(page, "Work notes").waitFor();
    await settled(page);
    for (const name of ["New credential", "Disconnect", "Delete for good"]) {
      await button(page, name).focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await expectFine(page, name, looks);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      // Where it was before, so that one goes on from there.
      expect(await page.locator(":focus").innerText()).toBe(name);
    }
    await page.getByText("Show as a table").click();
    expect(await page.getByRole("table").getByRole("row").count()).toBe(31);
    await expectFine(page, "activity table", looks);
    await page.goto(`${instance.url}/#/tokens`);
    await button(page, "New token").click();
    await expectFine(page, "new token", looks);
    await page.goto(`${instance.url}/#/connect/demo`);
    await page.getByRole("radio", { name: "Use a key" }).check();
    await page.getByLabel("Demo key", { exact: true }).fill("wrong");
    await button(page, "Check the key and connect").click();
    await page.getByText("did not accept this key").waitFor();
    await expectFine(page, "refused key", looks);
    await page.getByLabel("Demo key", { exact: true }).fill(demoKey);
    await button(page, "Check the key and connect").click();
    await heading(page, "Save your credential now").waitFor();
    await expectFine(page, "credential", looks);
    expect(watched.foreign).toEqual([]);
    await context.close();
  });

  it("the check itself sees what is wrong", async () => {
    const { context, page } = await arrive(chromium.browser, instance);
    await page.evaluate("document.querySelector('#main').append(document.createElement('button'))");
    expect(await accessibilityFindings(page)).toEqual([expect.stringMatching(/^critical button-name/)]);
    await context.close();
  });

  it("skips to the content, and says where one is", async () => {
    const { context, page } = await arrive(chromium.browser, instance);
    await page.keyboard.press("Tab");
    expect(await page.locator(":focus").innerText()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.locator(":focus").getAttribute("id")).toBe("main");
    await page.getByRole("link", { name: "Activity log" }).click();
    await heading(page, "Activity log").waitFor();
    expect(await page.locator(":focus").innerText()).toBe("Activity log");
    const current = page.getByRole("navigation").locator("[aria-current=page]");
    expect(await current.allInnerTexts()).toEqual(["Activity log"]);
    await context.close();
  });
});

describe("the states of a page", () => {
  skipWithoutBrowser();

  const loaded = ["connections", "gallery", "detail", "again", "log", "tokens", "account"];

  it.each(looks)("loading is a shape of what comes, and nothing moves: $name", async ({ viewport }) => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewport);
    // No answer before the shape was seen, however fast the machine is.
    let seen = Promise.withResolvers<void>();
    await page.route("**/api/**", async (route) => {
      await seen.promise;
      await route.continue();
    });
    for (const name of loaded) {
      await page.goto("about:blank");
      seen = Promise.withResolvers();
      await page.goto(`${instance.url}/${hashOf(name)}`);
      await page.locator(".skeleton").first().waitFor();
      seen.resolve();
      await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });
      await settled(page);
      const shift = await watched.layoutShift();
      expect([name, shift < shiftBudget, shift]).toEqual([name, true, shift]);
    }
    await context.close();
  });

  it("a failure is said in the page, and tried again", async () => {
    const { context, page } = await arrive(chromium.browser, instance);
    const problem = {
      title: "Storage",
      status: 503,
      code: "storage_unavailable",
      detail: "Down for a minute.",
    };
    for (const name of loaded) {
      await page.goto(`${instance.url}/#/nowhere`);
      await heading(page, "There is nothing here").waitFor();
      await page.route("**/api/**", (route) => route.fulfill({ status: 503, json: problem }));
      await page.goto(`${instance.url}/${hashOf(name)}`);
      // What these show was there already.
      if (name === "gallery" || name === "account") await page.reload();
      await page.getByText("could not be loaded").first().waitFor();
      await page.getByText("Down for a minute.").first().waitFor();
      await expectFine(page, name, looks);
      await page.unroute("**/api/**");
      await button(page, "Try again").first().click();
      await page.getByText("could not be loaded").first().waitFor({ state: "detached" });
    }
    await context.close();
  });

  it("empty is an invitation", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.phone, "newcomer");
    await page.getByText("No connections yet").waitFor();
    await expectFine(page, "no connection", looks);
    await page.goto(`${instance.url}/#/tokens`);
    await page.getByText("No tokens yet").waitFor();
    await expectFine(page, "no token", looks);
    await page.goto(`${instance.url}/#/activity`);
    await page.getByLabel("What").selectOption("connection_purged");
    await page.getByText("No event matches").waitFor();
    await expectFine(page, "no event", looks);
    await button(page, "Show every event").click();
    await page.locator(".event").getByText("Signed in").first().waitFor();
    await page.goto(`${instance.url}/#/connect`);
    await page.getByLabel("Search services").fill("nothing is called that");
    await page.getByText("No service matches").waitFor();
    await expectFine(page, "no service", looks);
    expect(watched.complaints).toEqual([]);
    await context.close();
  });

  it("offline is said over the page, and what failed comes by itself when it ends", async () => {
    const { context, page } = await arrive(chromium.browser, instance, viewports.phone);
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await page.getByRole("link", { name: "API tokens" }).click();
    await page.getByText("This device is offline.").waitFor();
    await expectFine(page, "offline", looks);
    await context.setOffline(false);
    await page.getByRole("list", { name: "API tokens" }).waitFor();
    await page.getByText("You are offline.").waitFor({ state: "detached" });
    await context.close();
  });

  it("signed out is accessible too", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.phone);
    await button(page, "Sign out").click();
    await heading(page, "Sign in to Bindify").waitFor();
    await expectFine(page, "signed out", looks);
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    expect(watched.complaints).toEqual([]);
    await context.close();
  });
});
