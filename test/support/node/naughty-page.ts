import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { z } from "zod";
import { naughty } from "../naughty.ts";
import { viewports, type Visit } from "./browser.ts";
import type { Instance } from "./instance.ts";
import { arrive } from "./page.ts";

/** What a keyboard or the clipboard can bring (half a character is none), and is more than a word. */
export const typable: readonly string[] = naughty.filter(
  (text) => text.isWellFormed() && text.length <= 200 && !/^\w{0,20}$/.test(text),
);

/** Each does something else where it is not taken as text. */
export const sharp = [
  "<img src=x onerror=alert(1)>",
  '"><svg/onload=alert(1)>',
  "javascript:alert(1)",
  "$& $' $` $$ $1",
  "__proto__",
  "\u202Ereversed\u202C",
] as const;

/** One long word each, of the 100 characters that a name may have. */
export const wide = ["W".repeat(100), "﷽".repeat(100), "💥".repeat(100)] as const;

/** The same texts in few pieces of at most `longest` characters, for where each takes its time. */
export function joined(texts: readonly string[], longest: number, between = " "): readonly string[] {
  const pieces: string[] = [];
  for (const text of texts) {
    const last = pieces.at(-1);
    const whole = last === undefined ? text : last + between + text;
    if (last !== undefined && Array.from(whole).length <= longest) pieces.splice(-1, 1, whole);
    else pieces.push(text);
  }
  return pieces;
}

const shownSchema = z.array(z.string());
const outcomesSchema = z.array(
  z.object({
    typed: z.array(z.string()),
    kept: z.array(z.string()),
    beside: z.array(z.string()),
    said: z.array(z.string()),
  }),
);

/**
 * A page that must neither run what it shows, nor ask another origin for anything but for `elsewhere`, where one is
 * sent to sign in.
 */
export async function watched(
  browser: Browser | undefined,
  instance: Instance,
  user: string,
  { viewport = viewports.wide, elsewhere = "" } = {},
): Promise<Visit & { quiet: () => void }> {
  const visit = await arrive(browser, instance, viewport, user);
  const dialogs: string[] = [];
  visit.page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const quiet = (): void => {
    expect(dialogs).toEqual([]);
    const foreign = visit.watched.foreign.filter((url) => elsewhere === "" || !url.startsWith(elsewhere));
    expect(foreign).toEqual([]);
    // What a server refuses is no fault of the page; Chromium itself reports it.
    const complaints = visit.watched.complaints.filter(
      (text) => !/the server responded with a status of 4\d\d/.test(text),
    );
    expect(complaints).toEqual([]);
  };
  return { ...visit, quiet };
}

/** The input of this name, which is the path of its value in the request. */
export const field = (page: Page, name: string): Locator => page.locator(`input[name="${name}"]`);

/** Text as the page holds it: what is drawn may have its spaces folded. */
export async function textsOf(found: Locator): Promise<readonly string[]> {
  return shownSchema.parse(await found.allTextContents());
}

/** Fills in a field, and answers what it then holds: a browser drops line breaks itself. */
export async function type(input: Locator, text: string): Promise<string> {
  await input.fill(text);
  return await input.inputValue();
}

/** What the page sent, and what it was answered. */
export async function send(page: Page, method: string, act: () => Promise<void>) {
  const answered = page.waitForResponse((response) => response.request().method() === method);
  await act();
  const response = await answered;
  const sent: unknown = response.request().postDataJSON();
  const body: unknown = response.status() === 204 ? null : await response.json();
  return { status: response.status(), sent, body };
}

const submitAll = (names: readonly string[], texts: readonly string[]): string => `(async () => {
  const until = async (find) => {
    for (const end = Date.now() + 10_000; Date.now() < end; ) {
      if (find()) return;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error("the page did not get on");
  };
  const inputs = ${JSON.stringify(names)}.map((name) => document.querySelector('[name="' + name + '"]'));
  const { form } = inputs[0];
  const said = () =>
    [...form.querySelectorAll(".field-error, .notice-bad")].map((each) => each.textContent).filter(Boolean);
  const outcomes = [];
  for (const text of ${JSON.stringify(texts)}) {
    for (const input of inputs) input.value = text;
    const typed = inputs.map((input) => input.value);
    performance.clearResourceTimings();
    form.requestSubmit();
    const answered = () => performance.getEntriesByType("resource").some(({ name }) => name.includes("/api/"));
    await until(() => answered() && said().length > 0);
    outcomes.push({
      typed,
      kept: inputs.map((input) => input.value),
      beside: inputs.map((input) => input.closest(".field").querySelector(".field-error")?.textContent ?? ""),
      said: said(),
    });
  }
  return outcomes;
})()`;

/**
 * Types each text into all of these inputs of one form and sends it, in the page itself: from here each would take a
 * hundred times as long. Every one has to be refused; nothing that was typed may be lost by it. Answers for each text
 * what the inputs held, what then stood beside them, and all that was said.
 */
export async function refuseAll(page: Page, names: readonly string[], texts: readonly string[]) {
  const outcomes = outcomesSchema.parse(await page.evaluate(submitAll(names, texts)));
  expect(outcomes).toHaveLength(texts.length);
  for (const [at, { typed, kept }] of outcomes.entries()) {
    const text = texts[at] ?? "";
    if (!/[\r\n]/.test(text)) expect(typed).toEqual(names.map(() => text));
    expect(kept).toEqual(typed);
  }
  return outcomes;
}

/** Pixels by which the page, or a dialog over it, is wider than there is room. */
async function overflow(page: Page): Promise<readonly number[]> {
  const script = `[document.documentElement, ...document.querySelectorAll("dialog[open]")]
    .map((each) => each.scrollWidth - each.clientWidth)`;
  return z.array(z.number()).parse(await page.evaluate(script));
}

/** Nothing is wider than the screen, nor than its dialog. */
export async function expectNarrow(page: Page, where: string): Promise<void> {
  const found = await overflow(page);
  expect({ where, found }).toEqual({ where, found: found.map(() => 0) });
}

/**
 * In this browser every authorization server allows what it is asked for at once. Answers the addresses that the
 * person was sent to.
 */
export async function allowAtOnce(context: BrowserContext): Promise<readonly URL[]> {
  const asked: URL[] = [];
  await context.route(
    ({ pathname }) => pathname.endsWith("/authorize") && !pathname.startsWith("/api/"),
    async (route) => {
      const url = new URL(route.request().url());
      asked.push(url);
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      const iss = url.origin + url.pathname.slice(0, -"/authorize".length);
      back.search = new URLSearchParams({
        code: "code",
        state: url.searchParams.get("state") ?? "",
        iss,
      }).toString();
      const script = `location.replace(${JSON.stringify(back.href)})`;
      await route.fulfill({ contentType: "text/html", body: `<!doctype html><script>${script}</script>` });
    },
  );
  return asked;
}
