import type { Page } from "playwright-core";

export interface HeldAnswer {
  /** Resolves when the server has answered. */
  readonly answered: Promise<void>;
  /** Lets the page have the answer, or what came in its place. */
  release(): void;
  /** How many requests there were of the kind. */
  count(): number;
}

/**
 * Lets the server act at once and keeps its answer to the first matching call of the API back; `instead` is the status
 * of a failure that comes in place of it. Later ones go through.
 */
export async function holdAnswer(
  page: Page,
  matches: (call: { method: string; path: string; body: string }) => boolean,
  instead?: number,
): Promise<HeldAnswer> {
  const released = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  let count = 0;
  await page.route("**/api/**", async (route) => {
    const request = route.request();
    const { pathname: path } = new URL(request.url());
    if (!matches({ method: request.method(), path, body: request.postData() ?? "" })) return route.fallback();
    count += 1;
    if (count > 1) return route.fallback();
    const response = await route.fetch();
    answered.resolve();
    await released.promise;
    if (instead === undefined) return route.fulfill({ response });
    const problem = {
      title: "Unavailable",
      status: instead,
      code: "unavailable",
      detail: "Try again later.",
    };
    return route.fulfill({
      status: instead,
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    });
  });
  return { answered: answered.promise, release: () => released.resolve(), count: () => count };
}
