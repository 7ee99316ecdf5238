import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { demoKey } from "../../scripts/demo-service/demo-service.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { holdAnswer } from "../support/node/held-answer.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import {
  arrive,
  button,
  connectDemo,
  consent,
  heading,
  leave,
  manage,
  toolsAt,
} from "../support/node/page.ts";
import { signIn } from "../support/node/sign-in.ts";

let instance: Instance;
useInstance((started) => {
  instance = started;
});

const chromium = useBrowser();

skipWithoutBrowser();

const visit = (user: string) => arrive(chromium.browser, instance, undefined, user);
const headings = (page: Page) => page.locator("h1").allInnerTexts();
const secrets = (page: Page) => page.locator(".secret-text").allInnerTexts();
const go = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click();
/** Answers are drawn in a frame or two, and what would be drawn wrongly is as well. */
const settle = (page: Page) => page.waitForTimeout(400);

async function fillKey(page: Page, label: string): Promise<void> {
  await page.goto(`${instance.url}/#/connect/demo`);
  await heading(page, "Connect Demo notes").waitFor();
  await page.getByRole("radio", { name: "Use a key" }).check();
  await page.getByLabel("Demo key", { exact: true }).fill(demoKey);
  await page.getByLabel("Label").fill(label);
}

describe("an answer that comes when its view is gone", () => {
  it("T23 shows no token in another view", async () => {
    const { context, page } = await visit("token");
    await go(page, "API tokens");
    await button(page, "New token").click();
    await page.getByLabel("Name").fill("CI");
    const held = await holdAnswer(page, ({ method, path }) => method === "POST" && path === "/api/tokens");
    await button(page, "Create the token").click();
    await held.answered;
    await go(page, "Add");
    await page.getByLabel("Search services").fill("note");
    held.release();
    await settle(page);
    expect(await headings(page)).toEqual(["Connect a service"]);
    expect(await secrets(page)).toEqual([]);
    expect(await page.getByLabel("Search services").inputValue()).toBe("note");
    await context.close();
  });

  it("T23 shows no credential to whoever comes after signing out", async () => {
    const { context, page } = await visit("leaver");
    const all = [];
    for (const label of ["First", "Second"]) {
      await fillKey(page, label);
      const held = await holdAnswer(page, ({ method, body }) => method === "POST" && body.includes(label));
      await button(page, "Check the key and connect").click();
      await held.answered;
      all.push(held);
      await go(page, "Cancel");
      await heading(page, "Connect a service").waitFor();
    }
    await button(page, "Sign out").click();
    await heading(page, "Sign in to Bindify").waitFor();
    for (const held of all) {
      held.release();
      await settle(page);
    }
    expect(await headings(page)).toEqual(["Sign in to Bindify"]);
    expect(await secrets(page)).toEqual([]);
    await context.close();
  });

  it("changes nothing in another view, and takes no focus", async () => {
    const { context, page } = await visit("walker");
    const { id } = await connectDemo(instance, "Work", "walker");
    await page.goto(`${instance.url}/#/connection/${id}`);
    await heading(page, "Work").waitFor();
    const held = await holdAnswer(page, ({ method }) => method === "DELETE");
    await button(page, "Disconnect").click();
    await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
    await held.answered;
    await page.evaluate("location.hash = '#/connect'");
    await heading(page, "Connect a service").waitFor();
    await page.getByLabel("Search services").click();
    await page.keyboard.type("no");
    held.release();
    await settle(page);
    await page.keyboard.type("te");
    expect(await headings(page)).toEqual(["Connect a service"]);
    expect(await page.getByLabel("Search services").inputValue()).toBe("note");
    await context.close();
  });

  it("carries nobody off to a sign-in that was given up", async () => {
    const { context, page } = await visit("undecided");
    await page.goto(`${instance.url}/#/connect/demo`);
    const held = await holdAnswer(page, ({ path }) => path === "/api/connections/authorize");
    await button(page, "Sign in with Demo notes").click();
    await held.answered;
    await go(page, "Cancel");
    await heading(page, "Connect a service").waitFor();
    held.release();
    await page.waitForTimeout(1500);
    expect(page.url()).toBe(`${instance.url}/#/connect`);
    await context.close();
  });
});

describe("what is shown once", () => {
  it("is not replaced by another credential before it is saved", async () => {
    const { context, page } = await visit("collector");
    await fillKey(page, "Slow");
    const held = await holdAnswer(page, ({ method, body }) => method === "POST" && body.includes("Slow"));
    await button(page, "Check the key and connect").click();
    await held.answered;
    await go(page, "Cancel");
    await fillKey(page, "Quick");
    await button(page, "Check the key and connect").click();
    await page.getByText("Connected: Quick").waitFor();
    const quick = await secrets(page);
    held.release();
    await settle(page);
    expect(await secrets(page)).toEqual(quick);
    await button(page, "I have saved it").click();
    await page.getByText("Connected: Slow").waitFor();
    const [slow = ""] = await secrets(page);
    expect(quick).not.toContain(slow);
    expect((await toolsAt(slow)).length).toBeGreaterThan(0);
    await button(page, "I have saved it").click();
    await heading(page, "Connections").waitFor();
    expect(await secrets(page)).toEqual([]);
    await context.close();
  });

  it("of one connection is the newest, whichever answer comes last", async () => {
    const { context, page } = await visit("renewer");
    const wanted = { service: "demo", label: "Managed", storage: "managed" as const };
    const { connection } = await signIn(instance, wanted, { user: "renewer" });
    const detail = `${instance.url}/#/connection/${connection.id}`;
    await page.goto(detail);
    const held = await holdAnswer(
      page,
      ({ method, path }) => method === "POST" && path.endsWith("/credential"),
    );
    const renew = async () => {
      await button(page, "New credential").click();
      await page.getByRole("dialog").getByRole("button", { name: "Get a new credential" }).click();
    };
    await renew();
    await held.answered;
    await page.goto(`${instance.url}/#/tokens`);
    await heading(page, "API tokens").waitFor();
    await page.goto(detail);
    await renew();
    await heading(page, "Save your credential now").waitFor();
    const newest = await secrets(page);
    held.release();
    await settle(page);
    expect(await secrets(page)).toEqual(newest);
    expect((await toolsAt(newest[0] ?? "")).length).toBeGreaterThan(0);
    await button(page, "I have saved it").click();
    await heading(page, "Connections").waitFor();
    await context.close();
  });

  it("stays where the account cannot be loaded afterwards", async () => {
    const { context, page } = await visit("unlucky");
    const held = await holdAnswer(page, ({ path }) => path === "/api/me", 503);
    await page.goto(`${instance.url}/?again#/tokens`);
    await button(page, "New token").click();
    await page.getByLabel("Name").fill("CI");
    await button(page, "Create the token").click();
    await page.locator(".secret-text").waitFor();
    await held.answered;
    held.release();
    await settle(page);
    expect(await secrets(page)).toHaveLength(1);
    const asked = page.waitForEvent("dialog").then(async (dialog) => {
      await dialog.dismiss();
      return dialog.type();
    });
    await page.evaluate("setTimeout(() => location.reload())");
    expect(await asked).toBe("beforeunload");
    await button(page, "I have saved it").click();
    await go(page, "Account");
    await heading(page, "Your account could not be loaded").waitFor();
    await button(page, "Try again").click();
    await heading(page, "Account").waitFor();
    await context.close();
  });
});

describe("a view that is not there yet", () => {
  it("is named in the title all the same", async () => {
    const { context, page } = await visit("waiter");
    const { id } = await connectDemo(instance, "Work", "waiter");
    await go(page, "Account");
    await heading(page, "Account").waitFor();
    const held = await holdAnswer(page, ({ path }) => path === `/api/connections/${id}`, 503);
    await page.evaluate(`location.hash = "#/connection/${id}"`);
    await held.answered;
    await expect.poll(() => page.title()).toBe("Loading the connection … · Bindify");
    held.release();
    await expect.poll(() => page.title()).toBe("The connection could not be loaded · Bindify");
    await button(page, "Try again").click();
    await expect.poll(() => page.title()).toBe("Work · Bindify");
    await context.close();
  });
});

describe("what is under way", () => {
  it("stays in sight until it is known what came of it", async () => {
    const { context, page } = await visit("hasty");
    await connectDemo(instance, "Work", "hasty");
    await page.reload();
    const held = await holdAnswer(page, ({ method }) => method === "DELETE");
    await manage(page, "Work", "Disconnect");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Disconnect" }).click();
    await held.answered;
    for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
    await dialog.getByRole("button", { name: "Keep it" }).click({ force: true });
    await settle(page);
    expect(await page.locator("dialog[open]").count()).toBe(1);
    held.release();
    await page.getByText("Work is disconnected.").waitFor();
    expect(await page.locator("dialog").count()).toBe(0);
    expect(held.count()).toBe(1);
    await context.close();
  });

  it("a new name is not given up while it is saved", async () => {
    const { context, page } = await visit("namer");
    await connectDemo(instance, "Old", "namer");
    await page.reload();
    const held = await holdAnswer(page, ({ method }) => method === "PATCH");
    await manage(page, "Old", "Rename");
    await page.getByLabel("New label for Old").fill("New");
    await page.keyboard.press("Enter");
    await held.answered;
    await page.keyboard.press("Escape");
    await settle(page);
    expect(await page.getByLabel("New label for Old").inputValue()).toBe("New");
    held.release();
    await page.getByRole("heading", { name: "New", exact: true }).waitFor();
    await context.close();
  });

  it("a credential to keep is judged before another way is taken", async () => {
    const { context, page } = await visit("keeper");
    const { connection } = await signIn(instance, { service: "demo", label: "Keeper" }, { user: "keeper" });
    await page.goto(`${instance.url}/#/again/${connection.id}`);
    await leave(page, instance.demoUrl);
    await consent(page, "demo");
    await heading(page, "Keep your address and key").waitFor();
    await page.getByLabel("Present secret URL or API key", { exact: true }).fill("a typing mistake");
    const held = await holdAnswer(page, ({ path }) => path.endsWith("/complete"));
    await button(page, "Keep this one").click();
    await held.answered;
    await button(page, "Get a new one instead").click({ force: true });
    held.release();
    await settle(page);
    expect(await headings(page)).toEqual(["Keep your address and key"]);
    await button(page, "Get a new one instead").click();
    await heading(page, "Save your credential now").waitFor();
    await context.close();
  });

  it("a failure of before is not in the dialog that is opened again", async () => {
    const { context, page } = await visit("persistent");
    await instance.api("POST", "/api/tokens", { name: "CI", scope: "read" }, "persistent");
    await go(page, "API tokens");
    const held = await holdAnswer(page, ({ method }) => method === "DELETE", 503);
    held.release();
    await button(page, "Revoke CI").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await dialog.getByText("Try again later.").waitFor();
    await button(page, "Keep it").click();
    await button(page, "Revoke CI").click();
    await dialog.waitFor();
    expect(await dialog.getByText("Try again later.").count()).toBe(0);
    await context.close();
  });
});
