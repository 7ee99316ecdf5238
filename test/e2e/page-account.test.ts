import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { demoKey } from "../../scripts/demo-service/demo-service.ts";
import { accessibilityFindings } from "../support/node/accessibility.ts";
import { storageOf, traces, viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import type { Instance } from "../support/node/instance.ts";
import { useInstance } from "../support/node/instance-suite.ts";
import { arrive, button, connectDemo, heading, toolsAt } from "../support/node/page.ts";
import { signIn } from "../support/node/sign-in.ts";

let instance: Instance;
useInstance((started) => {
  instance = started;
});

const chromium = useBrowser();

skipWithoutBrowser();

const visit = async (page: Page, hash: string, title: string): Promise<void> => {
  await page.goto(`${instance.url}/${hash}`);
  await heading(page, title).waitFor();
};
const dialog = (page: Page) => page.getByRole("dialog");

describe("a connection's own page", () => {
  it("renames, gives a new credential, disconnects and reconnects with the same id and history", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.wide, "keeper");
    const { id, secretUrl } = await connectDemo(instance, "Notes", "keeper");
    expect(await toolsAt(secretUrl)).toContain("list_notes");
    await visit(page, `#/connection/${id}`, "Notes");
    await button(page, "Rename").click();
    await page.getByLabel("New label for Notes").fill("Better notes");
    await page.keyboard.press("Enter");
    await heading(page, "Better notes").waitFor();

    await button(page, "New credential").click();
    await dialog(page).getByLabel("Present secret URL or API key", { exact: true }).fill(secretUrl);
    await dialog(page).getByRole("button", { name: "Get a new credential" }).click();
    await heading(page, "Save your credential now").waitFor();
    const fresh = await page.locator(".secret-text").first().innerText();
    await expect(toolsAt(secretUrl)).rejects.toThrow("not known");
    expect(await toolsAt(fresh)).toContain("list_notes");
    await button(page, "I have saved it").click();

    await visit(page, `#/connection/${id}`, "Better notes");
    await button(page, "Disconnect").click();
    await dialog(page).getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("Better notes is disconnected.").waitFor();
    await page.getByText("30 days left to reconnect it.").waitFor();
    await expect(toolsAt(fresh)).rejects.toThrow("not known");

    await visit(page, "#/", "Connections");
    const gone = page.getByRole("list", { name: "Disconnected" }).getByRole("listitem");
    await gone.getByText("30 days left").waitFor();
    await gone.getByRole("link", { name: "Reconnect Better notes" }).click();
    await heading(page, "Reconnect Better notes").waitFor();
    await page.getByLabel("Demo key", { exact: true }).fill(demoKey);
    await button(page, "Check the key and save it").click();
    await heading(page, "Save your credential now").waitFor();
    expect(await toolsAt(await page.locator(".secret-text").first().innerText())).toContain("list_notes");
    await button(page, "I have saved it").click();
    await visit(page, `#/connection/${id}`, "Better notes");
    await page.getByRole("link", { name: "Everything in the activity log" }).click();
    await heading(page, "Activity log").waitFor();
    for (const words of ["Connected", "Renamed", "New credential", "Disconnected", "Reconnected"]) {
      await page.locator(".event-words").getByText(words, { exact: true }).first().waitFor();
    }
    expect(watched.complaints).toEqual([]);
    expect(watched.foreign).toEqual([]);
    await context.close();
  });

  it("replaces a key and keeps the address of who shows it", async () => {
    const { context, page } = await arrive(chromium.browser, instance, viewports.phone, "keeper");
    const { id, secretUrl } = await connectDemo(instance, "Kept", "keeper");
    await visit(page, `#/connection/${id}`, "Kept");
    await page.getByRole("link", { name: "Replace the key" }).click();
    await heading(page, "Replace the key of Kept").waitFor();
    await page.getByLabel("Demo key", { exact: true }).fill(demoKey);
    await page.getByLabel("Present secret URL or API key (optional)", { exact: true }).fill(secretUrl);
    await button(page, "Check the key and save it").click();
    await heading(page, "Your secret URL and API key stay the same").waitFor();
    expect(await toolsAt(secretUrl)).toContain("list_notes");
    await context.close();
  });

  it("is deleted for good only by typing its name", async () => {
    const { context, page } = await arrive(chromium.browser, instance, viewports.phone, "keeper");
    const { id, secretUrl } = await connectDemo(instance, "Passing", "keeper");
    await visit(page, `#/connection/${id}`, "Passing");
    await button(page, "Delete for good").click();
    await dialog(page).getByLabel("Type “Passing” to confirm").fill("passing");
    await dialog(page).getByRole("button", { name: "Delete for good" }).click();
    await dialog(page).getByText("That is not “Passing”.").waitFor();
    expect(await toolsAt(secretUrl)).toContain("list_notes");
    await dialog(page).getByLabel("Type “Passing” to confirm").fill("Passing");
    await dialog(page).getByRole("button", { name: "Delete for good" }).click();
    await heading(page, "Deleted for good").waitFor();
    expect((await instance.api("GET", `/api/connections/${id}`, undefined, "keeper")).status).toBe(404);
    await context.close();
  });
});

describe("API tokens", () => {
  it("are shown once, work, and are revoked", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.phone, "maker");
    await visit(page, "#/tokens", "API tokens");
    await button(page, "New token").click();
    await page.getByLabel("Name").fill("Nightly");
    await page.getByRole("radio", { name: "30 days" }).check();
    await button(page, "Create the token").click();
    const secret = await page.locator(".secret-text").innerText();
    const ask = (method: string, path: string) =>
      fetch(instance.url + path, { method, headers: { authorization: `Bearer ${secret}` } });
    expect((await ask("GET", "/api/connections")).status).toBe(200);
    // It was made to read.
    expect((await ask("DELETE", "/api/connections/con_0")).status).toBe(403);
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(await storageOf(page)).not.toContain(secret);
    await button(page, "I have saved it").click();
    expect(await traces(page)).not.toContain(secret);
    const row = page.getByRole("listitem").filter({ hasText: "Nightly" });
    await row.getByRole("button", { name: "Revoke Nightly" }).click();
    await dialog(page).getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
    expect((await ask("GET", "/api/connections")).status).toBe(401);
    expect(watched.complaints).toEqual([]);
    await context.close();
  });
});

describe("the activity log", () => {
  const lineSchema = z.looseObject({ kind: z.string(), seq: z.number().optional() });

  it("filters, pages, exports and verifies; T88 says which event is broken", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.wide, "auditor");
    const made = await connectDemo(instance, "Checked", "auditor");
    for (let turn = 0; turn < 55; turn += 1) {
      await instance.api("PATCH", `/api/connections/${made.id}`, { label: `Checked ${turn}` }, "auditor");
    }
    await visit(page, "#/activity", "Activity log");
    const rows = page.locator(".event");
    await expect.poll(() => rows.count()).toBe(50);
    await button(page, "Show more").click();
    await expect.poll(() => rows.count()).toBe(100);
    await page.getByLabel("What").selectOption("connection_created");
    await expect.poll(() => rows.count()).toBe(1);
    await rows.getByRole("link", { name: "Checked 54" }).waitFor();
    await page.getByLabel("From").fill("2020-01-01");
    await page.getByLabel("To").fill("2020-01-02");
    await page.getByText("No event matches").waitFor();

    const downloaded = page.waitForEvent("download");
    await button(page, "Export as NDJSON").click();
    const file = await (await downloaded).path();
    const lines = (await readFile(file, "utf8"))
      .trim()
      .split("\n")
      .map((line) => lineSchema.parse(JSON.parse(line)));
    expect([lines[0]?.kind, lines.at(-1)?.kind]).toEqual(["header", "footer"]);
    const events = lines.filter(({ kind }) => kind === "event");
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));

    await button(page, "Check the chain").click();
    await page.getByText("The chain is intact").waitFor();
    const head = await page.locator(".verify code").innerText();
    expect(head).toMatch(/^\d+\.[\w-]{43}$/);
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.getByText("Compare with what you noted earlier").click();
    await page.getByLabel("Head (optional)").fill(head);
    await button(page, "Check the chain").click();
    await page.getByText("The chain is intact").waitFor();

    const { database } = instance;
    const { results } = await database
      .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_events'")
      .all<{ name: string }>();
    for (const { name } of results) await database.prepare(`DROP TRIGGER ${name}`).run();
    const workspace = "workspace_id = (SELECT workspace_id FROM connections WHERE id = ?)";
    await database
      .prepare(`UPDATE audit_events SET actor = 'system' WHERE seq = 7 AND ${workspace}`)
      .bind(made.id)
      .run();
    await page.getByLabel("Head (optional)").fill("");
    await button(page, "Check the chain").click();
    await page.getByText("The chain is broken").waitFor();
    await page.getByText("Event #7 is not what was recorded.").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(watched.complaints).toEqual([]);
    expect(watched.foreign).toEqual([]);
    await context.close();
  });
});

describe("support", () => {
  it("is in the page where it is configured, and takes a message", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.phone, "asker");
    await visit(page, "#/", "Connections");
    expect(await page.getByRole("link", { name: "Support" }).count()).toBe(0);
    // Where tickets are filed is another service: here only the page's half is looked at.
    let sent: unknown;
    await page.route("**/api/config", async (route) => {
      const response = await route.fetch();
      const body = z.looseObject({}).parse(await response.json());
      await route.fulfill({ response, json: { ...body, support_form: true } });
    });
    await page.route("**/api/support/nonce", (route) =>
      route.fulfill({ json: { nonce: "once", expires_at: new Date().toISOString() } }),
    );
    await page.route("**/api/support", async (route) => {
      sent = route.request().postDataJSON();
      await route.fulfill({ status: 202, json: { status: "sent" } });
    });
    await page.reload();
    await page.getByRole("link", { name: "Support" }).click();
    await heading(page, "Support").waitFor();
    await page.getByText("The answer comes to asker@localhost.").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.getByLabel("Subject").fill("A question");
    await page.getByLabel("Message").fill("How do I …?");
    await button(page, "Send").click();
    await page.getByText("Your message is on its way").waitFor();
    expect(sent).toEqual({ subject: "A question", message: "How do I …?", nonce: "once" });
    expect(await accessibilityFindings(page)).toEqual([]);
    expect(watched.complaints).toEqual([]);
    await context.close();
  });
});

describe("the end of an account", () => {
  it("T89 takes a typed confirmation, and lists what only the person can end", async () => {
    const { context, page, watched } = await arrive(chromium.browser, instance, viewports.phone, "leaver");
    const kept = await connectDemo(instance, "By key", "leaver");
    await signIn(instance, { service: "demo", label: "Signed in" }, { user: "leaver" });
    await visit(page, "#/account", "Account");
    await page.getByText("leaver@localhost").last().waitFor();
    await button(page, "Delete the account").click();
    await dialog(page).getByLabel("Type “delete my account” to confirm").fill("delete");
    await dialog(page).getByRole("button", { name: "Delete my account" }).click();
    await dialog(page).getByText("That is not").waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await dialog(page).getByLabel("Type “delete my account” to confirm").fill("delete my account");
    await dialog(page).getByRole("button", { name: "Delete my account" }).click();
    await heading(page, "Your account is deleted").waitFor();
    const left = page.locator(".deeds li");
    await left.first().waitFor();
    expect((await left.allInnerTexts()).join("\n")).toContain("Demo notes");
    expect(await accessibilityFindings(page)).toEqual([]);
    await expect(toolsAt(kept.secretUrl)).rejects.toThrow("not known");
    await button(page, "Done").click();
    await page.getByText("Your account is deleted. Signing in again begins a new one.").waitFor();
    expect(await page.evaluate("sessionStorage.length")).toBe(0);
    expect(watched.complaints).toEqual([]);
    expect(watched.foreign).toEqual([]);
    await context.close();
  });
});
