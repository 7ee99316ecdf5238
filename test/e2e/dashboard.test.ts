import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import {
  howToGetChromium,
  readClipboard,
  sidewaysOverflow,
  storageOf,
  traces,
  viewports,
  visitAs,
  type Visit,
} from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import { connectV1 } from "../support/node/mcp-clients.ts";

// Longer than most files: a person's whole journey is told once, in its order.

const demoKey = "demo-notes-key";
const byteBudget = 150_000;

let instance: Instance;
useInstance((started) => {
  instance = started;
});

const chromium = useBrowser();

function visit(viewport = viewports.wide): Promise<Visit> {
  const { browser } = chromium;
  if (browser === undefined) throw new Error(howToGetChromium);
  return visitAs(browser, instance.url, viewport);
}

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });

async function signIn(page: Page): Promise<void> {
  await page.goto(await instance.signInLink());
  await heading(page, "Connections").waitFor();
}

async function connectDemo(page: Page, key: string, label: string): Promise<void> {
  await page.getByRole("radio", { name: "Use a key" }).check();
  await page.getByLabel("Demo key", { exact: true }).fill(key);
  await page.getByLabel("Label").fill(label);
  await page.getByRole("button", { name: "Check the key and connect" }).click();
}

describe("the page's headers", () => {
  it.each(["/", "/app.js", "/app.css"])(
    "T23 %s is neither stored, framed, sniffed nor referred to",
    async (path) => {
      const response = await fetch(instance.url + path);
      expect(response.status).toBe(200);
      await response.body?.cancel();
      const { headers } = response;
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      const policy = new Set(headers.get("content-security-policy")?.split("; "));
      expect(policy).toEqual(
        new Set([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "connect-src 'self'",
          "img-src 'self' data:",
          "font-src 'self'",
          "form-action 'none'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ]),
      );
    },
  );
});

describe("the page in a browser", () => {
  skipWithoutBrowser();

  it.each(Object.entries(viewports))(
    "connects, saves, renames and disconnects: %s",
    async (name, viewport) => {
      const { context, page, watched } = await visit(viewport);

      // Signing in: the token leaves the address bar.
      await page.goto(await instance.signInLink());
      await heading(page, "Connections").waitFor();
      expect(page.url()).toBe(`${instance.url}/`);

      // The gallery, by search.
      await page.getByRole("link", { name: "Add", exact: true }).click();
      await heading(page, "Connect a service").waitFor();
      const cards = page.getByRole("main").getByRole("listitem");
      await cards.first().waitFor();
      expect(await cards.count()).toBeGreaterThan(5);
      await page.getByLabel("Search services").fill("notebook");
      await expect.poll(() => cards.count()).toBe(1);
      await page.getByRole("link", { name: "Demo notes" }).click();
      await heading(page, "Connect Demo notes").waitFor();

      // A wrong key: said beside the form, what was typed stays, nothing was made.
      await connectDemo(page, "not-the-key", `Notes ${name}`);
      await page.getByRole("alert").getByText("did not accept this key").waitFor();
      expect(await page.getByLabel("Label").inputValue()).toBe(`Notes ${name}`);
      // Chromium itself reports the refused request; nothing else may be there.
      expect(watched.complaints.splice(0)).toEqual([expect.stringContaining("status of 422")]);

      // The right one: the credential, once.
      await connectDemo(page, demoKey, `Notes ${name}`);
      await heading(page, "Save your credential now").waitFor();
      await page.getByRole("button", { name: "Copy the secret URL" }).click();
      await page.getByText("Copied the secret URL.").waitFor({ state: "attached" });
      const secretUrl = await readClipboard(context, instance.demoUrl);
      const prefix = `${instance.url}/mcp/demo/`;
      expect(secretUrl.startsWith(prefix)).toBe(true);
      const credential = secretUrl.slice(prefix.length);
      expect(credential).toMatch(/^[\w-]{86}$/);
      await page.getByRole("button", { name: "Copy the API key" }).click();
      await page.getByText("Copied the API key.").waitFor({ state: "attached" });
      const apiKey = await readClipboard(context, instance.demoUrl);
      expect(apiKey).toContain(credential);
      expect(await toolsAt(secretUrl)).toContain("list_notes");
      const bearer = { Authorization: `Bearer ${apiKey}` };
      expect(await toolsAt(`${instance.url}/mcp/demo`, bearer)).toContain("list_notes");

      // Snippets, by keyboard.
      const tabs = page.getByRole("tab");
      await tabs.first().focus();
      await page.keyboard.press("End");
      expect(await tabs.last().getAttribute("aria-selected")).toBe("true");
      await page.keyboard.press("ArrowRight");
      expect(await page.locator(":focus").innerText()).toBe(await tabs.first().innerText());
      expect(await page.getByRole("tabpanel").innerText()).toContain(credential);

      // Going elsewhere inside the page does not lose it; nowhere but on the page it is kept.
      await page.evaluate('location.hash = "#/connect"');
      await page.getByText(secretUrl, { exact: true }).waitFor();
      expect(await storageOf(page)).not.toContain(credential);
      expect(page.url()).not.toContain(credential);

      await page.getByRole("button", { name: "I have saved it" }).click();
      const row = page.getByRole("listitem").filter({ hasText: `Notes ${name}` });
      await row.waitFor();
      expect(await traces(page)).not.toContain(credential);

      // Renaming, and what a reload finds.
      await row.locator("summary").click();
      await row.getByRole("button", { name: "Rename" }).click();
      await page.getByLabel(`New label for Notes ${name}`).fill(`Renamed ${name}`);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: `Renamed ${name}` }).waitFor();
      await page.reload();
      const renamed = page.getByRole("listitem").filter({ hasText: `Renamed ${name}` });
      await renamed.waitFor();
      expect(await traces(page)).not.toContain(credential);
      expect(await traces(page)).not.toContain(demoKey);

      // Disconnecting asks first.
      await renamed.locator("summary").click();
      await renamed.getByRole("button", { name: "Disconnect" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await renamed.locator("summary").click();
      await renamed.getByRole("button", { name: "Disconnect" }).click();
      // What a click moves on purpose is none, but an answer may come too long after it for Chromium to know.
      expect(await watched.layoutShift()).toBe(0);
      await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
      await page.getByText(`Renamed ${name} is disconnected.`).waitFor();
      await expect(toolsAt(secretUrl)).rejects.toThrow("not known");

      expect(watched.complaints).toEqual([]);
      expect(watched.foreign).toEqual([]);
      expect(await watched.transferred()).toBeLessThan(byteBudget);
      expect(await sidewaysOverflow(page)).toBe(0);
      await context.close();
    },
  );

  it("forgets an unsaved credential on reload, after a warning", async () => {
    const { context, page } = await visit();
    await signIn(page);
    await page.goto(`${instance.url}/#/connect/demo`);
    await connectDemo(page, demoKey, "Unsaved");
    await heading(page, "Save your credential now").waitFor();
    const secretUrl = await page.locator(".secret-text").first().innerText();
    const warned = page.waitForEvent("dialog").then(async (dialog) => {
      await dialog.accept();
      return dialog.type();
    });
    await page.reload();
    expect(await warned).toBe("beforeunload");
    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(await traces(page)).not.toContain(secretUrl.slice(-86));
    await page.goto(`${instance.url}/#/`);
    await page.getByRole("listitem").filter({ hasText: "Unsaved" }).getByText("Never used").waitFor();
    await context.close();
  });

  it.each([
    ["at once", []],
    ["after a copy", ["Copy the secret URL", "Copy the API key"]],
  ])("lets one leave once it is saved, however late a frame comes: saved %s", async (_, copied) => {
    const { context, page } = await visit();
    await signIn(page);
    const dialogs: string[] = [];
    page.on("dialog", (dialog) => {
      dialogs.push(dialog.type());
      void dialog.accept();
    });
    // What is done after a frame is done after the next render, or after all of this.
    await page.addInitScript(
      "const next = requestAnimationFrame; requestAnimationFrame = (then) => setTimeout(() => next(then), 1500);",
    );
    await page.goto(`${instance.url}/?slow#/connect/demo`);
    await connectDemo(page, demoKey, `Left ${copied.length}`);
    await heading(page, "Save your credential now").waitFor();
    for (const name of copied) await page.getByRole("button", { name }).click();
    if (copied.length > 0) await page.waitForTimeout(1600);
    await page.getByRole("button", { name: "I have saved it" }).click();
    await heading(page, "Connections").waitFor();
    await page.waitForTimeout(1600);
    await page.reload();
    await heading(page, "Connections").waitFor();
    expect(dialogs).toEqual([]);
    await context.close();
  });

  it("says how to sign in, and says so again when the sign-in has ended", async () => {
    const { context, page, watched } = await visit(viewports.phone);
    await page.goto(instance.url);
    await heading(page, "Sign in to Bindify").waitFor();
    await page.getByText("npm run -s token -- --link").waitFor();
    expect(watched.complaints).toEqual([]);
    await signIn(page);
    await page.evaluate('sessionStorage.setItem(Object.keys(sessionStorage)[0], "not.a.token")');
    await page.reload();
    await page.getByText("Your sign-in has ended").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    await context.close();
  });

  it("takes no token of another issuer from a link", async () => {
    const { context, page } = await visit();
    const claims = { iss: "https://attacker.example", sub: "attacker", exp: Date.now() / 1000 + 600 };
    const token = `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
    await page.goto(`${instance.url}/#sign_in=${token}`);
    await page.getByText("That sign-in link has expired or is incomplete").waitFor();
    expect(page.url()).toBe(`${instance.url}/`);
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    await context.close();
  });

  it("says what failed, and recovers", async () => {
    const { context, page } = await visit(viewports.phone);
    await page.route("**/api/connections*", (route) => route.abort());
    await signIn(page);
    await page.getByText("Your connections could not be loaded").waitFor();
    await page.unroute("**/api/connections*");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("could not be loaded").waitFor({ state: "detached" });
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await context.setOffline(false);
    await page.getByText("You are offline.").waitFor({ state: "detached" });
    await context.close();
  });

  it("does not move while it loads slowly", async () => {
    const { context, page, watched } = await visit(viewports.phone);
    await page.route("**/api/**", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await route.continue();
    });
    await signIn(page);
    await page.goto(`${instance.url}/#/connect`);
    await page.getByRole("heading", { name: "Demo notes" }).waitFor();
    expect(await watched.layoutShift()).toBe(0);
    expect(await sidewaysOverflow(page)).toBe(0);
    await context.close();
  });
});

/** The tools that the official client finds there. */
async function toolsAt(url: string, headers: Record<string, string> = {}): Promise<string[]> {
  const client = await connectV1(url, { headers });
  const tools = await client.listTools();
  await client.close();
  return tools;
}
