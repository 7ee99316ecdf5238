import { vi } from "vitest";

export interface Capture {
  /** What was written to the console, in order. */
  readonly lines: string[];
  restore(): void;
}

const methods = ["log", "info", "warn", "error", "debug", "trace"] as const;

/** Takes the console's place: everything that the platform would have stored with the request's URL. */
export function captureConsole(): Capture {
  const lines: string[] = [];
  const spies = methods.map((method) =>
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      lines.push(values.map(String).join(" "));
    }),
  );
  return { lines, restore: () => spies.forEach((spy) => spy.mockRestore()) };
}
