import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startDemoService, type DemoService } from "../../scripts/demo-service/demo-service.ts";
import { readClipboard, sidewaysOverflow, storageOf, traces, viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startInstance } from "../support/node/instance.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";
import { arrive, button, consent, heading, leave, manage, toolsAt } from "../support/node/page.ts";

// Longer than most files: a person's whole journey is told once, in its order.

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

/** What the snippet for Claude Code configures: the address, and the header with the key. */
function readSnippet(text: string): { url: string; headers: { Authorization: string } } {
  const [, url = "", authorization = ""] =
    /--transport http demo (\S+) --header "Authorization: ([^"]+)"/.exec(text) ?? [];
  return { url, headers: { Authorization: authorization } };
}

describe("signing in to a service, in a browser", () => {
  skipWithoutBrowser();

  it("serves again where leaving for it came to nothing", async () => {
    const { context, page } = await arrive(chromium.browser, instance, viewports.wide);
    await page.goto(`${instance.url}/#/connect/demo`);
    await page.getByLabel("Label").fill("Kept");
    // What an answer without content leaves on the screen is the page that was there (HTML, "navigate").
    await context.route(
      (url) => url.origin === demo.url,
      async (route) => await route.fulfill({ status: 204 }),
    );
    await button(page, "Sign in with Demo notes").click();
    await button(page, "Going to the sign-in …").waitFor();
    await button(page, "Sign in with Demo notes").waitFor();
    expect(await page.getByLabel("Label").inputValue()).toBe("Kept");
    await context.close();
  });

  it.each(Object.entries(viewports))(
    "T44 shows the credential once and keeps it nowhere, from the first consent to the end: %s",
    async (name, viewport) => {
      const label = `Notebook ${name}`;
      const person = `ada ${name}`;
      const { context, page, watched } = await arrive(chromium.browser, instance, viewport);
      const answers = collectAnswers(page);
      const before = demo.stats();

      // Choosing the service; signing in is what the form proposes.
      await page.getByRole("link", { name: "Add", exact: true }).click();
      await page.getByRole("link", { name: "Demo notes" }).click();
      await heading(page, "Connect Demo notes").waitFor();
      expect(await page.getByRole("radio", { name: "Sign in with Demo notes" }).isChecked()).toBe(true);
      await page.getByLabel("Label").fill(label);
      await leave(page, demo.url);
      await consent(page, person);

      // Back: what the provider answered is gone from the address and from the history.
      await heading(page, "Save your credential now").waitFor();
      expect(page.url()).toBe(`${instance.url}/`);
      const visited = z
        .array(z.string())
        .parse(await page.evaluate("navigation.entries().map((e) => e.url)"));
      expect(visited.join("\n")).not.toMatch(/code=|state=/);

      // A snippet is all that a client needs.
      await button(page, "Copy the Claude Code configuration").click();
      await page.getByText("Copied the Claude Code configuration.").waitFor({ state: "attached" });
      const { url, headers } = readSnippet(await readClipboard(context, demo.url));
      expect(url).toBe(`${instance.url}/mcp/demo`);
      const client = await connectV2(url, { headers, era: "auto" });
      await client.callTool("add_note", { text: `written by ${person}` });
      await client.close();
      const credential = /bnd_test_([\w-]{86})/.exec(headers.Authorization)?.[1] ?? "none";

      // A reload warns, and then nothing of it is left.
      expect(await storageOf(page)).not.toContain(credential);
      page.once("dialog", (dialog) => void dialog.accept());
      await page.reload();
      const row = page.getByRole("listitem").filter({ hasText: label });
      await row.getByText("Working").waitFor();
      expect(await traces(page)).not.toContain(credential);
      expect((await answers()).filter((text) => text.includes(credential))).toHaveLength(1);

      // Signing in again keeps address and key for who shows them, after the round trip.
      await manage(page, label, "Re-authorize");
      await heading(page, `Re-authorize ${label}`).waitFor();
      await leave(page, demo.url);
      await consent(page, person);
      await heading(page, "Keep your address and key").waitFor();
      expect(page.url()).toBe(`${instance.url}/`);
      expect(await storageOf(page)).not.toContain("bindify.sign_in");
      await page.getByLabel("Present secret URL or API key", { exact: true }).fill("a typing mistake");
      await button(page, "Keep this one").click();
      await page.getByText("neither a secret URL nor an API key").waitFor();
      expect(watched.complaints.splice(0)).toEqual([expect.stringContaining("status of 400")]);
      await page
        .getByLabel("Present secret URL or API key", { exact: true })
        .fill(`${instance.url}/mcp/demo/${credential}`);
      await button(page, "Keep this one").click();
      await heading(page, "Your secret URL and API key stay the same").waitFor();
      await button(page, "To your connections").click();
      await row.getByText("Working").waitFor();
      expect(await traces(page)).not.toContain(credential);
      const again = await connectV2(url, { headers, era: "auto" });
      expect(await again.callTool("list_notes")).toContain(`written by ${person}`);
      await again.close();

      // T22: a new credential for the same access; the old one is unknown.
      await manage(page, label, "New credential");
      await page
        .getByRole("dialog")
        .getByLabel("Present secret URL or API key", { exact: true })
        .fill(credential);
      await button(page, "Get a new credential").click();
      await heading(page, "Save your credential now").waitFor();
      const secretUrl = await page.locator(".secret-text").first().innerText();
      await expect(toolsAt(url, headers)).rejects.toThrow("not known");
      expect(await toolsAt(secretUrl)).toContain("list_notes");
      await button(page, "I have saved it").click();

      // Disconnecting with the credential ends the access at the service too.
      await manage(page, label, "Disconnect");
      await page
        .getByRole("dialog")
        .getByLabel(/^Secret URL or API key/)
        .fill(secretUrl);
      await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
      await page.getByText("Demo notes has revoked its access").waitFor();
      await expect(toolsAt(secretUrl)).rejects.toThrow("not known");
      expect(demo.stats().revocations).toBeGreaterThan(before.revocations);

      // It can come back, under its label and with a new credential.
      await page.getByRole("link", { name: `Reconnect ${label}` }).click();
      await heading(page, `Reconnect ${label}`).waitFor();
      await leave(page, demo.url);
      await consent(page, person);
      await heading(page, "Save your credential now").waitFor();
      await page.getByText(`Connected: ${label}`).waitFor();
      await button(page, "I have saved it").click();
      await row.getByText("Never used").or(row.getByText("Working")).waitFor();
      await manage(page, label, "Disconnect");
      expect(await watched.layoutShift()).toBe(0);
      await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
      await page.getByText("when a client next uses").waitFor();

      expect(watched.complaints).toEqual([]);
      const elsewhere = watched.foreign.filter((address) => new URL(address).origin !== demo.url);
      expect(elsewhere).toEqual([]);
      for (const address of watched.foreign)
        expect(new URL(address).pathname).toMatch(/^\/(auth|sign-in)(\/|$)/);
      expect(await sidewaysOverflow(page)).toBe(0);
      await context.close();
    },
  );

  it("T23 hands the answer on in a fragment, unstored and unreferred, that works once and for its owner", async () => {
    const { context, page } = await arrive(chromium.browser, instance);
    const callback = page.waitForResponse((response) => response.url().includes("/oauth/callback?"));
    await page.goto(`${instance.url}/#/connect/demo`);
    await leave(page, demo.url);
    await consent(page, "replayed");
    const response = await callback;
    expect(response.status()).toBe(303);
    expect(response.headers()).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
    await heading(page, "Save your credential now").waitFor();
    await button(page, "I have saved it").click();
    const { tokenRequests } = demo.stats();
    const fragment = new URL(response.headers()["location"] ?? "").hash;
    expect(fragment).toContain("code=");
    // T44: a second `complete` is refused.
    await page.goto(`${instance.url}/${fragment}`);
    await heading(page, "Not connected").waitFor();
    await page.getByText("finished already").waitFor();
    expect(page.url()).toBe(`${instance.url}/`);
    expect(demo.stats().tokenRequests).toBe(tokenRequests);
    await context.close();
  });
});

/** The bodies of all answers of the API so far. */
function collectAnswers(page: Page): () => Promise<string[]> {
  const bodies: Promise<string>[] = [];
  page.on("response", (response) => {
    // A redirect and a page that was left have no body to read.
    if (response.url().includes("/api/")) bodies.push(response.text().catch(() => "left"));
  });
  return () => Promise.all(bodies);
}
