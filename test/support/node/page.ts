import type { Browser, Page } from "playwright-core";
import { z } from "zod";
import { demoKey } from "../../../scripts/demo-service/demo-service.ts";
import { howToGetChromium, viewports, visitAs, type Visit } from "./browser.ts";
import type { Instance } from "./instance.ts";
import { connectV2 } from "./mcp-clients.ts";

export const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name });
export const button = (page: Page, name: string) => page.getByRole("button", { name });

/** A fresh browser profile, signed in to the page. */
export async function arrive(
  browser: Browser | undefined,
  instance: Instance,
  viewport = viewports.wide,
  user?: string,
): Promise<Visit> {
  if (browser === undefined) throw new Error(howToGetChromium);
  const visit = await visitAs(browser, instance.url, viewport);
  await visit.page.goto(await instance.signInLink(user));
  await heading(visit.page, "Connections").waitFor();
  return visit;
}

const madeSchema = z.object({
  connection: z.object({ id: z.string() }),
  credential: z.object({ secret_url: z.string() }),
});

/** A connection to the demo service by its key, made beside the page. */
export async function connectDemo(
  instance: Instance,
  label: string,
  user?: string,
): Promise<{ id: string; secretUrl: string }> {
  const wanted = { service: "demo", label, fields: { api_key: demoKey } };
  const { body } = await instance.api("POST", "/api/connections", wanted, user);
  const { connection, credential } = madeSchema.parse(body);
  return { id: connection.id, secretUrl: credential.secret_url };
}

/** From the form of the page to the consent of the demo service. */
export async function leave(page: Page, demoUrl: string, words = "Sign in with Demo notes"): Promise<void> {
  await button(page, words).click();
  await page.waitForURL(`${demoUrl}/sign-in/*`);
  await page.getByRole("heading", { name: "to read and add your notes?" }).waitFor();
}

export async function consent(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await button(page, "Allow").click();
}

/** Chooses from the menu of a connection in the list. */
export async function manage(page: Page, label: string, what: string): Promise<void> {
  const row = page.getByRole("listitem").filter({ hasText: label });
  await row.locator("summary").click();
  await row.getByText(what, { exact: true }).click();
}

/** The tools that the official client finds there. */
export async function toolsAt(url: string, headers: Record<string, string> = {}): Promise<string[]> {
  const client = await connectV2(url, { headers, era: "auto" });
  const tools = await client.listTools();
  await client.close();
  return tools;
}

/** Nothing of the view is still on its way. */
export async function settled(page: Page): Promise<void> {
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
}
