import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDefer } from "../../src/lib/defer.ts";
import { Fault } from "../../src/lib/fault.ts";
import { consoleLog, errorKind, formatEvent, levelOf, type LogEvent } from "../../src/lib/log.ts";
import { Secret } from "../../src/lib/secret.ts";
import { bufferLog } from "../../src/store/log-buffer.ts";
import { VaultError } from "../../src/vault/error.ts";
import { captureConsole, type Capture } from "../support/capture.ts";

let capture: Capture;

beforeEach(() => {
  capture = captureConsole();
});

afterEach(() => {
  capture.restore();
});

describe("log lines", () => {
  it("are one line of JSON with level and event", () => {
    consoleLog({ event: "job_finished", job: "copy_blobs", done: 2, ms: 3 });
    expect(capture.lines).toEqual([
      '{"level":"info","event":"job_finished","job":"copy_blobs","done":2,"ms":3}',
    ]);
  });

  it.each([
    "https://a.example/mcp/x",
    "a b",
    "line\nbreak",
    "x".repeat(65),
    "",
    "ключ",
    "/mcp/custom",
    "a@b.example",
  ])("T92 print no free text, even where it reached a field: %j", (text) => {
    const event: LogEvent = { event: "blob_missing", connection: text, generation: 1 };
    expect(formatEvent(event)).toBe(
      '{"level":"warn","event":"blob_missing","connection":"[unprintable]","generation":1}',
    );
  });

  it("name an error by its kind, never by its message", () => {
    expect(errorKind(new Error("D1_ERROR: UNIQUE constraint failed: secret"))).toBe("D1");
    expect(errorKind(new TypeError("https://secret"))).toBe("TypeError");
    expect(errorKind(new Fault("internal"))).toBe("Fault");
    expect(errorKind(new VaultError("unsealable"))).toBe("VaultError");
    expect(errorKind(new DOMException("secret", "AbortError"))).toBe("DOMException");
    expect(errorKind(Object.assign(new Error("x"), { name: "secret-name" }))).toBe("Error");
    expect(errorKind("secret")).toBe("other");
    expect(errorKind(undefined)).toBe("other");
  });
});

describe("deferred work", () => {
  it("that fails is on record under its name, and nothing escapes", async () => {
    const events: LogEvent[] = [];
    const waited: Promise<unknown>[] = [];
    const defer = createDefer(
      (work) => waited.push(work),
      (event) => events.push(event),
    );
    defer("touch_last_used", Promise.reject(new Error("D1_ERROR: secret")));
    defer("copy_blob", Promise.resolve());
    await Promise.all(waited);
    expect(events).toEqual([{ event: "deferred_failed", task: "touch_last_used", error: "D1" }]);
  });
});

describe("a log that may not use the console", () => {
  const crash: LogEvent = { event: "request_crashed", route: "mcp_url", error: "Error" };

  it("T93 stores warnings and errors, drops what is routine, and caps a flood", async () => {
    const stored: string[] = [];
    const waited: Promise<unknown>[] = [];
    let now = Date.now() + 10_000_000;
    const store = {
      insert: async (lines: readonly { line: string }[]) => {
        stored.push(...lines.map(({ line }) => line));
      },
    };
    const log = bufferLog(
      store,
      () => now,
      (work) => waited.push(work),
    );
    log({ event: "request_refused", route: "mcp_url", fault: "unknown_credential" });
    expect(stored).toEqual([]);
    for (let at = 0; at < 100; at++) log(crash);
    await Promise.all(waited);
    expect(stored).toHaveLength(60);
    now += 60_000;
    log(crash);
    await Promise.all(waited);
    expect(stored.slice(60).map((line) => JSON.parse(line))).toEqual(
      expect.arrayContaining([
        { level: "error", ...crash },
        { level: "warn", event: "log_events_dropped", count: 40 },
      ]),
    );
    expect(capture.lines).toEqual([]);
  });

  it("T93 a store that fails is silent: the console would show the URL", async () => {
    const waited: Promise<unknown>[] = [];
    const log = bufferLog(
      { insert: async () => await Promise.reject(new Error("secret")) },
      () => Date.now() + 90_000_000,
      (work) => waited.push(work),
    );
    log(crash);
    await Promise.all(waited);
    expect(capture.lines).toEqual([]);
  });

  it("knows the level of every event", () => {
    expect([levelOf(crash), levelOf({ event: "unknown_cron" })]).toEqual(["error", "error"]);
  });
});

describe("a Secret", () => {
  it("is redacted in every conversion but reveal()", () => {
    const secret = new Secret("s3cret-value");
    const shown = [
      String(secret),
      "".concat(String(secret)),
      JSON.stringify({ secret }),
      JSON.stringify([secret]),
      Object.prototype.toString.call(secret),
      JSON.stringify(Object.entries(secret)),
      new Error("x", { cause: secret }).toString(),
    ];
    for (const text of shown) expect(text).not.toContain("s3cret");
    expect(secret.reveal()).toBe("s3cret-value");
  });
});
