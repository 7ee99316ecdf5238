import { second, type Clock } from "../lib/clock.ts";
import { utf8 } from "../lib/bytes.ts";
import type { Watch } from "./stream-watch.ts";

/** An SSE comment: parsers skip it. It keeps edges from cutting a silent stream after 100 s. */
const keepalive = utf8(": keepalive\n\n");

export interface RelayTimes {
  /** A keepalive follows this much silence, ms. */
  readonly silence: number;
  /** How often the connection is looked at, ms. */
  readonly checkEvery: number;
}

export const relayTimes: RelayTimes = { silence: 25 * second, checkEvery: 10 * second };

export interface RelayOptions {
  readonly watch: Watch;
  readonly clock: Clock;
  readonly times: RelayTimes;
  /** Sent first: the rewritten event that opens HTTP+SSE. */
  readonly prefix?: Uint8Array | undefined;
}

/** Checks that may fail in a row before the stream is ended: a connection that cannot be seen may be gone. */
const blindChecks = 1;

/**
 * Passes an event stream on byte for byte, adding nothing but keepalive comments between events of a silent stream,
 * and ends it when the connection is disconnected.
 */
export function relayEvents(
  source: ReadableStreamDefaultReader<Uint8Array>,
  { watch, clock, times, prefix }: RelayOptions,
): ReadableStream<Uint8Array> {
  const tail = new EventTail();
  let timer: ReturnType<typeof setInterval> | undefined;
  let checkedAt = clock();
  let lastByteAt = clock();
  let waiting = false;
  let ending = false;
  let closed = false;
  let failed = 0;

  /** Cancelling a source that has just failed by itself fails too; there is nothing left to cancel then. */
  const release = async (): Promise<void> => {
    closed = true;
    clearInterval(timer);
    watch.end();
    await Promise.allSettled([source.cancel()]);
  };

  const close = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    if (closed) return;
    const released = release();
    controller.close();
    await released;
  };

  const check = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      const verdict = await watch.check();
      failed = 0;
      if (verdict === "stop") await close(controller);
      if (verdict !== "reconnect") return;
      ending = true;
      if (waiting && tail.betweenEvents) await close(controller);
    } catch {
      failed += 1;
      if (failed > blindChecks) await close(controller);
    }
  };

  const tick = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    if (closed) return;
    const now = clock();
    if (waiting && tail.betweenEvents && now - lastByteAt >= times.silence) {
      controller.enqueue(keepalive);
      lastByteAt = now;
    }
    if (now - checkedAt >= times.checkEvery) {
      checkedAt = now;
      void check(controller);
    }
  };

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        if (prefix !== undefined) {
          controller.enqueue(prefix);
          tail.push(prefix);
        }
        timer = setInterval(() => tick(controller), Math.min(times.silence, times.checkEvery) / 5);
      },
      async pull(controller) {
        waiting = true;
        try {
          const { done, value } = await source.read();
          if (closed) return;
          if (done) return await close(controller);
          lastByteAt = clock();
          tail.push(value);
          controller.enqueue(value);
          if (ending && tail.betweenEvents) await close(controller);
        } catch {
          // The service broke off. A clean end makes clients drop the unfinished event and reconnect; an error
          // would leave an exception with this invocation's URL in the platform's log.
          await close(controller);
        } finally {
          waiting = false;
        }
      },
      async cancel() {
        await release();
      },
    },
    { highWaterMark: 0 },
  );
}

const LF = 10;
const CR = 13;

/** Remembers the last bytes of a stream, to know whether it stands between two events. */
class EventTail {
  #last: readonly number[] = [];
  #empty = true;

  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#empty = false;
    this.#last = [...this.#last, ...chunk.subarray(-3)].slice(-3);
  }

  /** A blank line was the last thing sent, in any mix of line ends (WHATWG HTML §9.2.5), or nothing was. */
  get betweenEvents(): boolean {
    if (this.#empty) return true;
    const [last, previous, third] = this.#last.toReversed();
    if (last === previous) return last === LF || last === CR;
    // LF CR LF ends a blank line, whether the line before it ended in LF or in CR LF.
    return last === LF && previous === CR && third === LF;
  }
}
