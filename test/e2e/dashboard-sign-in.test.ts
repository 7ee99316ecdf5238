import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemoService, type DemoService } from "../../scripts/demo-service/demo-service.ts";
import { isSameSite } from "../../src/dashboard/state/site.ts";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startInstance } from "../support/node/instance.ts";
import { arrive, button, consent, heading, leave, manage, toolsAt } from "../support/node/page.ts";

let demo: DemoService;
let instance: Awaited<ReturnType<typeof startInstance>>;

beforeAll(async () => {
  demo = await startDemoService({ port: 0 });
  instance = await startInstance({ demo: false, variables: { DEMO_SERVICE_URL: demo.url } });
});

afterAll(async () => {
  await instance.close();
  await demo.close();
});

const chromium = useBrowser();

describe("the page around a sign-in", () => {
  skipWithoutBrowser();

  it("says what happened when the person does not allow it, and begins again", async () => {
    const { context, page } = await arrive(chromium.browser, instance, viewports.phone);
    const { tokenRequests } = demo.stats();
    await page.goto(`${instance.url}/#/connect/demo`);
    await leave(page, demo.url);
    await button(page, "Cancel").click();
    await heading(page, "Not connected").waitFor();
    await page.getByText("You did not allow the access").waitFor();
    expect(page.url()).toBe(`${instance.url}/`);
    expect(demo.stats().tokenRequests).toBe(tokenRequests);
    await page.getByRole("link", { name: "Begin again" }).click();
    await heading(page, "Connect Demo notes").waitFor();
    await context.close();
  });

  it("connects any server by its address, and names both where another site signs people in", async () => {
    const { context, page } = await arrive(chromium.browser, instance);
    let changed: Record<string, string> = {};
    await page.route("**/api/connections/authorize", async (route) => {
      const response = await route.fetch();
      const body = z.looseObject({}).parse(await response.json());
      await route.fulfill({ response, json: { ...body, ...changed } });
    });
    await page.goto(`${instance.url}/#/connect/custom`);
    await page.getByLabel("MCP server URL").fill(demo.mcpUrl);

    changed = { authorization_url: "javascript:document.title='run'" };
    await button(page, "Sign in at the server").click();
    await page.getByText("does not understand").waitFor();

    changed = { authorization_server: "login.elsewhere.example" };
    await button(page, "Sign in at the server").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("login.elsewhere.example", { exact: true }).first().waitFor();
    expect(await dialog.innerText()).toContain(new URL(demo.url).host);
    await dialog.getByRole("button", { name: "Stay here" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await page.getByLabel("MCP server URL").inputValue()).toBe(demo.mcpUrl);
    await button(page, "Sign in at the server").click();
    await leave(page, demo.url, "Go on and sign in");
    await consent(page, "by address");
    await heading(page, "Save your credential now").waitFor();
    expect(await toolsAt(await page.locator(".secret-text").first().innerText())).toContain("add_note");
    await context.close();
  });

  it("asks for more access, and keeps the credential of a managed connection without asking for it", async () => {
    const { context, page } = await arrive(chromium.browser, instance, viewports.phone);
    await page.goto(`${instance.url}/#/connect/demo`);
    await page.getByLabel("Label").fill("Shared");
    await page.getByRole("radio", { name: "Managed by this deployment" }).check();
    await leave(page, demo.url);
    await consent(page, "managed");
    await heading(page, "Save your credential now").waitFor();
    const secretUrl = await page.locator(".secret-text").first().innerText();
    await button(page, "I have saved it").click();
    await instance.database.prepare("UPDATE connections SET wanted_scope = 'notes:admin'").run();
    await page.reload();
    await page.getByRole("listitem").filter({ hasText: "Shared" }).getByText("Needs more access").waitFor();
    await manage(page, "Shared", "Re-authorize with more access");
    await page.getByText("notes:admin").waitFor();
    await page.getByText("stay as they are").waitFor();
    await instance.database.prepare("UPDATE connections SET wanted_scope = NULL").run();
    await leave(page, demo.url);
    await consent(page, "managed");
    await heading(page, "Your secret URL and API key stay the same").waitFor();
    expect(await toolsAt(secretUrl)).toContain("list_notes");
    await context.close();
  });

  it("shows in front what an app of one's own needs, where there is no other way", async () => {
    const { context, page } = await arrive(chromium.browser, instance);
    await page.goto(`${instance.url}/#/connect/slack`);
    await page.getByText(`${instance.url}/oauth/callback`).waitFor();
    expect(await page.getByLabel("Client id").getAttribute("required")).not.toBeNull();
    expect(await page.getByRole("radio", { name: "Use a key" }).count()).toBe(0);
    await context.close();
  });
});

describe("one owner, by name", () => {
  it.each([
    ["mcp.example.com", "auth.example.com", true],
    ["example.com", "MCP.example.com:8443", true],
    ["127.0.0.1:8788", "127.0.0.1:8787", true],
    ["mcp.example.co.uk", "login.example.co.uk", true],
    ["example.com", "example.com.evil.example", false],
    ["example.com", "notexample.com", false],
    ["one.co.uk", "other.co.uk", false],
    ["one.workers.dev", "other.workers.dev", false],
    ["127.0.0.1", "10.0.0.1", false],
    ["localhost:8787", "127.0.0.1:8787", false],
    ["[::1]:8787", "[::2]:8787", false],
  ])("%s and %s: %s", (a, b, expected) => {
    expect(isSameSite(a, b)).toBe(expected);
    expect(isSameSite(b, a)).toBe(expected);
  });
});
