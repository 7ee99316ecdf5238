import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startHostileServer, type HostileServer } from "../support/node/hostile-server.ts";
import { startInstance } from "../support/node/instance.ts";
import {
  allowAtOnce,
  expectNarrow,
  field,
  joined,
  typable,
  watched,
  wide,
} from "../support/node/naughty-page.ts";
import { button, heading, settled } from "../support/node/page.ts";
import { begin, complete, signedInBy } from "../support/node/sign-in.ts";
import { isLabel } from "../support/naughty.ts";
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

/** A connection of this name that was signed in to beside the page. */
async function connectBeside(label: string, user: string): Promise<string> {
  const provider = await createProvider(hostile.url);
  const { state } = await begin(instance, { service: "custom", url: provider.mcpUrl, label }, user);
  const answer = await complete(instance, { state, code: "code", iss: provider.issuer }, user);
  return signedInBy(answer).connection.id;
}

const dialog = (page: Page) => page.getByRole("dialog");

async function close(page: Page): Promise<void> {
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "detached" });
}

describe("a name of one long word fits a phone", () => {
  for (const label of wide) {
    it(`in every view of its connection: ${label.slice(0, 2)}`, async () => {
      const user = `wide-${label.codePointAt(0)}`;
      const { context, page, quiet } = await watched(chromium.browser, instance, user, {
        viewport: viewports.phone,
        elsewhere: hostile.url,
      });
      const id = await connectBeside(label, user);
      await allowAtOnce(context);
      await page.reload();
      await page.locator(".row-link").waitFor();
      await expectNarrow(page, "list");
      await page.locator("summary").first().click();
      await page.getByText("Rename", { exact: true }).click();
      await expectNarrow(page, "renaming in the list");

      await page.goto(`${instance.url}/#/connection/${id}`);
      await heading(page, label).waitFor();
      await settled(page);
      await expectNarrow(page, "detail");
      for (const name of ["New credential", "Disconnect", "Delete for good"]) {
        await button(page, name).click();
        await dialog(page).waitFor();
        await expectNarrow(page, name);
        if (name === "Delete for good") {
          await dialog(page).locator("input[name=typed]").fill("something else");
          await dialog(page).getByRole("button", { name }).click();
          await dialog(page).locator(".field-error").first().waitFor();
          await expectNarrow(page, "not the name");
        }
        await close(page);
      }
      await button(page, "Rename").click();
      await expectNarrow(page, "renaming");

      await page.goto(`${instance.url}/#/activity/${id}`);
      await page.locator(".event-where a").first().waitFor();
      await expectNarrow(page, "log");

      await page.goto(`${instance.url}/#/again/${id}`);
      await heading(page, `Re-authorize ${label}`).waitFor();
      await expectNarrow(page, "again");
      await button(page, "Sign in at the server").click();
      await heading(page, "Keep your address and key").waitFor();
      await expectNarrow(page, "keeping");
      await button(page, "Get a new one instead").click();
      await heading(page, "Save your credential now").waitFor();
      await expectNarrow(page, "credential");
      await button(page, "I have saved it").click();

      await page.goto(`${instance.url}/#/connection/${id}`);
      await button(page, "Disconnect").click();
      await dialog(page).getByRole("button", { name: "Disconnect" }).click();
      await page.locator(".notice-title").waitFor();
      await expectNarrow(page, "disconnected");
      await button(page, "Delete for good").click();
      await dialog(page).locator("input[name=typed]").fill(label);
      await dialog(page).getByRole("button", { name: "Delete for good" }).click();
      await heading(page, "Deleted for good").waitFor();
      await expectNarrow(page, "deleted");
      quiet();
      await context.close();
    });
  }

  it("as a token's, where it is made, shown and asked about", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "namer", {
      viewport: viewports.phone,
    });
    await page.goto(`${instance.url}/#/tokens`);
    for (const name of wide) {
      await button(page, "New token").click();
      await field(page, "name").fill(name);
      await button(page, "Create the token").click();
      await page.locator(".secret-text").waitFor();
      await expectNarrow(page, "made");
      await button(page, "I have saved it").click();
    }
    await expect.poll(() => page.locator(".row-token").count()).toBe(wide.length);
    await expectNarrow(page, "tokens");
    await page.locator(".row-token button").first().click();
    await dialog(page).waitFor();
    await expectNarrow(page, "revoking");
    await close(page);
    await page.goto(`${instance.url}/#/activity`);
    await page.locator(".event").first().waitFor();
    await expectNarrow(page, "log");
    quiet();
    await context.close();
  });

  it("and so does whatever else is a name", async () => {
    const { context, page, quiet } = await watched(chromium.browser, instance, "many", {
      viewport: viewports.phone,
    });
    const names = typable.map((text) => text.replaceAll(/\s+/g, "_")).filter(isLabel);
    for (const label of joined(names, 100, "_")) await connectBeside(label, "many");
    await page.reload();
    await page.locator(".row-link").first().waitFor();
    await expectNarrow(page, "list");
    await page.goto(`${instance.url}/#/activity`);
    await page.locator(".event-where a").first().waitFor();
    await expectNarrow(page, "log");
    quiet();
    await context.close();
  });
});
