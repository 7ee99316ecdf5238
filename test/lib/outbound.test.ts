import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { Deadline } from "../../src/lib/deadline.ts";
import { createOutbound, OutboundError, readCapped } from "../../src/lib/outbound.ts";

const outbound = createOutbound({ allowLoopback: true, ownHosts: [] });
const [echo, odd] = [inject("echoUrl"), inject("oddUrl")];
const get = (time = 5000) => ({ method: "GET", headers: {}, deadline: new Deadline(time) });

const bytesOf = async (answer: Response) => (await answer.arrayBuffer()).byteLength;

describe("requests to others", () => {
  it("T52 never follow a redirect, and carry nothing on", async () => {
    for (const code of [301, 302, 303, 307, 308]) {
      const answer = await outbound(
        `${echo}/redirect?code=${code}&to=${encodeURIComponent(`${odd}/open/200`)}`,
        { ...get(), headers: { "x-api-key": "k", cookie: "a=b" } },
      );
      expect(answer.status).toBe(code);
      await answer.body?.cancel();
    }
  });

  it("end when the caller ends them", async () => {
    const asked = get();
    const attempt = outbound(`${echo}/hang`, asked);
    setTimeout(() => asked.deadline.controller.abort(), 20);
    await expect(attempt).rejects.toMatchObject({ failure: "aborted" });
  });

  it("tell a closed port from nothing else, and never say the address", async () => {
    for (const url of ["http://127.0.0.1:9/secret-path", `${echo}/reset/secret-path`]) {
      const error: unknown = await outbound(url, get()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OutboundError);
      expect(error).toMatchObject({ failure: "unreachable", message: "unreachable" });
      expect(error).not.toHaveProperty("cause");
    }
  });
});

describe("a request's deadline", () => {
  // By a clock that the test moves: what a busy machine needs for an answer is no part of it.
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("ends it when the headers do not come in time", async () => {
    const asked = get(100);
    const ended = expect(outbound(`${echo}/hang`, asked)).rejects.toMatchObject({ failure: "timeout" });
    vi.advanceTimersByTime(99);
    expect(asked.deadline.expired).toBe(false);
    vi.advanceTimersByTime(1);
    await ended;
  });

  it("lets it take as long as it likes once it is lifted", async () => {
    const asked = get(100);
    const answer = await outbound(`${echo}/drip?bytes=10&every=40`, asked);
    asked.deadline.lift();
    vi.advanceTimersByTime(1_000_000);
    expect(await bytesOf(answer)).toBe(10);
  });

  it("ends it also while the body comes", async () => {
    const answer = await outbound(`${echo}/stall`, get(100));
    const ended = expect(bytesOf(answer)).rejects.toThrow();
    vi.advanceTimersByTime(100);
    await ended;
  });

  it("can be moved, by one timer", async () => {
    for (const before of [100, 500_000]) {
      const asked = get(before);
      asked.deadline.move(100_000);
      const answer = await outbound(`${echo}/stall`, asked);
      const ended = expect(bytesOf(answer)).rejects.toThrow();
      vi.advanceTimersByTime(99_999);
      expect(asked.deadline.expired).toBe(false);
      expect(vi.getTimerCount()).toBe(1);
      vi.advanceTimersByTime(1);
      await ended;
    }
  });
});

const bodyOf = (size: number) => new Response(new Uint8Array(size));

describe("reading a body", () => {
  it("gives the whole of one that is within the limit", async () => {
    expect(await readCapped(bodyOf(100), 100)).toHaveLength(100);
    expect(await readCapped(new Response(null), 100)).toHaveLength(0);
    expect(await readCapped(new Response("x"), 100)).toEqual(new Uint8Array([120]));
  });

  it("gives nothing of one that is larger, and reads no further", async () => {
    let produced = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        produced += 1;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    expect(await readCapped({ body: endless }, 10_000)).toBeUndefined();
    expect(produced).toBeLessThan(20);
    expect(await readCapped(bodyOf(101), 100)).toBeUndefined();
  });

  it("T55 counts after decompression", async () => {
    const answer = await outbound(`${odd}/bomb`, get());
    expect(await readCapped(answer, 1024 * 1024)).toBeUndefined();
  });

  it("gives nothing of one that breaks off", async () => {
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new Uint8Array(5));
        controller.error(new Error("reset"));
      },
    });
    expect(await readCapped({ body: broken }, 100)).toBeUndefined();
    const answer = await outbound(`${echo}/cut?after=100`, get());
    expect(await readCapped(answer, 1024 * 1024)).toBeUndefined();
  });
});
