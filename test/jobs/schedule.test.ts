import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogEvent } from "../../src/lib/log.ts";
import { runSchedule } from "../../src/jobs/schedule.ts";
import { captureConsole, type Capture } from "../support/capture.ts";
import { createInstance } from "../support/instance.ts";
import { dump } from "../support/storage.ts";

const instance = createInstance();
let capture: Capture;

beforeEach(() => {
  capture = captureConsole();
});

afterEach(() => {
  capture.restore();
});

const entry = (line: string) => [{ level: "error" as const, line }];

describe("stored log lines", () => {
  it("are printed once, in order and with their level, and then gone", async () => {
    const { stores } = await instance.runtime();
    const lines = Array.from({ length: 5 }, (_, at) => ({
      level: "warn" as const,
      line: JSON.stringify({ level: "warn", event: "blob_missing", generation: at }),
    }));
    await stores.logEvents.insert(lines, 1);
    await instance.cron("* * * * *");
    expect(capture.lines.slice(0, 5)).toEqual(lines.map(({ line }) => line));
    expect((await dump(instance.env)).tables["log_events"]).toEqual([]);
    const printed = capture.lines.length;
    await instance.cron("* * * * *");
    expect(capture.lines).toHaveLength(printed);
  });

  it("that come while others are printed wait for the next run", async () => {
    const { stores } = await instance.runtime();
    await stores.logEvents.insert(entry("first"), 1);
    const [first] = await stores.logEvents.oldest(1);
    await stores.logEvents.insert(entry("second"), 2);
    await stores.logEvents.deleteUpTo(first?.id ?? 0);
    expect((await stores.logEvents.oldest(10)).map(({ line }) => line)).toEqual(["second"]);
    await instance.cron("* * * * *");
  });
});

describe("the schedule", () => {
  it("an unknown pattern is an error on record, not an exception", async () => {
    await instance.cron("7 7 7 7 7");
    expect(capture.lines).toEqual(['{"level":"error","event":"unknown_cron"}']);
  });

  it("a job that fails does not keep the next from running", async () => {
    const runtime = await instance.runtime();
    const { stores } = runtime;
    await stores.logEvents.insert([{ level: "error", line: "still printed" }], 1);
    const events: LogEvent[] = [];
    const broken = {
      ...stores,
      connections: {
        ...stores.connections,
        clearCopiedBlobs: async () => await Promise.reject(new Error("D1_ERROR: secret")),
      },
    };
    await runSchedule("* * * * *", { ...runtime, stores: broken, log: (event) => events.push(event) });
    expect(events[0]).toEqual({ event: "job_failed", job: "copy_blobs", error: "D1" });
    expect(events[1]).toMatchObject({ event: "job_finished", job: "print_log_events", done: 1 });
    expect(capture.lines).toEqual(["still printed"]);
  });

  it("a deployment that is not configured says which variable, and lets nothing escape", async () => {
    await createInstance({ PUBLIC_URL: "nonsense value" }).cron("* * * * *");
    expect(capture.lines).toEqual(['{"level":"error","event":"misconfigured","variable":"PUBLIC_URL"}']);
  });
});
