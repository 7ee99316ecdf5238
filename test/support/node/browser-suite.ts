import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { chromiumPath, howToGetChromium, launchChromium } from "./browser.ts";

/** A browser for the tests of the file that calls this: it comes before them, where there is one, and ends after them. */
export function useBrowser(): { readonly browser: Browser | undefined } {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (chromiumPath !== undefined) browser = await launchChromium(chromiumPath);
  });
  afterAll(async () => await browser?.close());
  return {
    get browser() {
      return browser;
    },
  };
}

/** Counts the tests of this file, or of this `describe`, as skipped where there is no browser. */
export function skipWithoutBrowser(): void {
  beforeEach(({ skip }) => skip(chromiumPath === undefined, howToGetChromium));
}
