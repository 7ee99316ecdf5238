import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { z } from "zod";
import { sidewaysOverflow } from "./browser.ts";

const findings = z.array(
  z.object({ impact: z.string().nullable(), id: z.string(), nodes: z.array(z.string()) }),
);

// Transitions show a colour that nobody stays with: the check waits for the end of each.
const run = `
  Promise.allSettled(document.getAnimations().filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished))
    .then(() => axe.run(document, { resultTypes: ["violations"] }))
    .then(({ violations }) => violations.map(({ impact, id, nodes }) => ({
      impact, id, nodes: nodes.map((node) => node.target.join(" ") + ": " + node.failureSummary),
    })))
`;

/** What axe-core finds wrong on the page as it is now, at any impact: WCAG and its own best practices. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  // The page's policy admits no script of ours; the debugger's door is beside it.
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(axe.source);
  const found = findings.parse(await page.evaluate(run));
  return found.map(({ impact, id, nodes }) => `${impact ?? "?"} ${id}: ${nodes.join(" | ")}`);
}

export interface Look {
  readonly name: string;
  readonly viewport: { width: number; height: number };
  readonly colorScheme: "light" | "dark";
}

/** Nothing is wrong with what is on the page now, nor wider than the screen, in each look; the last one stays. */
export async function expectFine(page: Page, where: string, looks: readonly Look[]): Promise<void> {
  for (const { name, viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const found = await accessibilityFindings(page);
    const overflow = await sidewaysOverflow(page);
    expect({ where, name, found, overflow }).toEqual({ where, name, found: [], overflow: 0 });
  }
}
