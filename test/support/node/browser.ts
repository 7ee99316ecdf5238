import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { z } from "zod";

const candidates = [process.env["CHROMIUM_PATH"], "/usr/bin/chromium", "/usr/bin/chromium-browser"];

/** Where Chromium is, or nothing. No browser is ever downloaded by a test. */
export const chromiumPath: string | undefined = candidates.find(
  (path) => path !== undefined && path !== "" && existsSync(path),
);

export const howToGetChromium =
  "needs a browser: install Chromium (on Debian `apt-get install chromium`) or set CHROMIUM_PATH";

/** A browser that talks to nobody but the pages under test. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // A date is typed in the order of the language.
    env: { ...process.env, LANG: "en_US.UTF-8", LANGUAGE: "en_US" },
    args: [
      "--lang=en-US",
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export const viewports = {
  phone: { width: 390, height: 844 },
  wide: { width: 1360, height: 900 },
};

export interface Visit {
  context: BrowserContext;
  page: Page;
  watched: Watched;
}

/** A fresh browser profile with one page, watched on behalf of `origin`. */
export async function visitAs(
  browser: Browser,
  origin: string,
  viewport: { width: number; height: number },
): Promise<Visit> {
  const context = await browser.newContext({ viewport });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  return { context, page, watched: await watch(page, origin) };
}

export interface Watched {
  /** What the console said at warning level or above, and exceptions nobody caught. */
  complaints: string[];
  /** URLs outside of the page's own origin. */
  foreign: string[];
  /** Bytes of bodies as they came over the network, and layout shift as Chromium scores it. */
  transferred(): Promise<number>;
  layoutShift(): Promise<number>;
}

/** Records, from before its first navigation, what a page must never do. */
async function watch(page: Page, origin: string): Promise<Watched> {
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== origin) foreign.push(request.url());
  });
  await page.addInitScript(measureLayoutShift);
  return {
    complaints,
    foreign,
    transferred: async () => z.number().parse(await page.evaluate(sumTransfers)),
    layoutShift: async () => z.number().parse(await page.evaluate("globalThis.layoutShift")),
  };
}

// Texts and not functions: they run in the page, whose types are not those of this project.
const measureLayoutShift = `
  globalThis.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.layoutShift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
`;
const sumTransfers = `
  [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((entry) => !entry.name.includes("/api/"))
    .reduce((sum, entry) => sum + entry.encodedBodySize, 0)
`;

/** Read from a page of another origin, where no policy forbids it as the dashboard's does. */
export async function readClipboard(context: BrowserContext, origin: string): Promise<string> {
  const other = await context.newPage();
  await other.goto(origin);
  await other.bringToFront();
  const text = z.string().parse(await other.evaluate("navigator.clipboard.readText()"));
  await other.close();
  return text;
}

/** Everything that a later visitor of the tab, or an extension, could read. */
export async function traces(page: Page): Promise<string> {
  return `${page.url()}\n${await storageOf(page)}\n${await page.content()}`;
}

export async function storageOf(page: Page): Promise<string> {
  const script = "JSON.stringify([sessionStorage, localStorage].map((storage) => Object.entries(storage)))";
  return z.string().parse(await page.evaluate(script));
}

/** Pixels by which the page is wider than its window. */
export async function sidewaysOverflow(page: Page): Promise<number> {
  const script = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  return z.number().parse(await page.evaluate(script));
}
