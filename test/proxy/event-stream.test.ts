import { beforeAll, describe, expect, inject, it } from "vitest";
import { fromUtf8, utf8 } from "../../src/lib/bytes.ts";
import { relayEvents, relayTimes, type RelayTimes } from "../../src/proxy/event-stream.ts";
import { watchStream, type Watch } from "../../src/proxy/stream-watch.ts";
import { rpcCall, withHeaders } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();
let person: Person;
let connected: Connected;

beforeAll(async () => {
  person = await createPerson(instance);
  connected = await person.connect({ url: upstream().url });
});

const goOn: Watch = { check: async () => "go_on", end: () => {} };
const quick: RelayTimes = { silence: 50, checkEvery: 30 };
const pause = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms));

/** A stream that the test feeds by hand. */
function fed() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (own) => {
      controller = own;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return {
    reader: stream.getReader(),
    send: (text: string) => controller?.enqueue(utf8(text)),
    fail: () => controller?.error(new Error("reset")),
    end: () => controller?.close(),
    cancelled: () => cancelled,
  };
}

const relay = (source: ReadableStreamDefaultReader<Uint8Array>, watch: Watch, times = quick) =>
  relayEvents(source, { watch, clock: Date.now, times });

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  return fromUtf8(new Uint8Array(await new Response(stream).arrayBuffer()));
}

const keepalive = ": keepalive\n\n";

/** The next chunk as text; undefined at the end. */
async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read();
  return value === undefined ? undefined : fromUtf8(value);
}

/** The next one that is not `skipped`: when it comes is the machine's affair. */
async function nextBut(skipped: string, reader: ReadableStreamDefaultReader<Uint8Array>) {
  for (;;) {
    const chunk = await next(reader);
    if (chunk !== skipped) return chunk;
  }
}

describe("events", () => {
  it.each(["", "crlf", "cr", "comments", "bare", "lines"])(
    "pass byte for byte, written as %j",
    async (variant) => {
      for (const more of ["", "&split"]) {
        const behave = `/sse?count=5&variant=${variant}${more}`;
        const direct = await (await fetch(`${inject("echoUrl")}${behave}`)).text();
        const answer = await instance.fetch(
          connected.secretPath,
          withHeaders(rpcCall(), { "mcp-param-behave": behave }),
        );
        expect(answer.headers.get("content-type")).toBe("text/event-stream");
        expect(await answer.text()).toBe(direct);
      }
    },
  );

  it("of a silent stream get a keepalive comment between them, never inside one", async () => {
    const source = fed();
    const reader = relay(source.reader, goOn).getReader();
    source.send("data: one\n\n");
    expect(await next(reader)).toBe("data: one\n\n");
    expect([await next(reader), await next(reader)]).toEqual([keepalive, keepalive]);
    source.send("data: tw");
    expect(await nextBut(keepalive, reader)).toBe("data: tw");
    const rest = next(reader);
    await pause(150);
    source.send("o\n\ndata: three\n\n");
    expect(await rest).toBe("o\n\ndata: three\n\n");
    source.end();
    expect(await nextBut(keepalive, reader)).toBeUndefined();
  });

  it.each(["\n\n", "\r\n\r\n", "\r\r", "\n\r\n"])("that end in %j count as ended", async (ending) => {
    const source = fed();
    const reader = relay(source.reader, goOn).getReader();
    source.send(`data: x${ending}`);
    expect(await next(reader)).toBe(`data: x${ending}`);
    expect(await next(reader)).toBe(keepalive);
    source.end();
  });

  it.each(["data: x", "data: x\n", "data: x\r\n", "data: x\r"])(
    "that stop at %j are not ended",
    async (text) => {
      const source = fed();
      const read = readAll(relay(source.reader, goOn));
      source.send(text);
      await pause(120);
      source.end();
      expect(await read).toBe(text);
    },
  );

  it("break off without an error: clients then reconnect", async () => {
    const source = fed();
    const read = readAll(relay(source.reader, goOn));
    source.send("data: x\n\n");
    source.fail();
    expect(await read).toBe("data: x\n\n");
  });

  it("T68 a client that leaves ends the service's stream", async () => {
    const source = fed();
    const reader = relay(source.reader, goOn).getReader();
    source.send("data: x\n\n");
    await reader.read();
    await reader.cancel();
    expect(source.cancelled()).toBe(true);
  });
});

describe("T21 an open stream", () => {
  it.each([1, 2])("ends when its connection is disconnected (%i open)", async (count) => {
    const { stores } = await instance.runtime();
    const own = await person.connect({ url: upstream().url });
    let now = Date.now();
    const sources = Array.from({ length: count }, () => fed());
    const reads = sources.map(
      async ({ reader }) =>
        await readAll(
          relayEvents(reader, {
            watch: watchStream(own.id, 1000, stores.connections, () => now),
            clock: Date.now,
            times: { silence: 10_000, checkEvery: 20 },
          }),
        ),
    );
    for (const source of sources) source.send("data: x\n\n");
    await pause(100);
    await person.call("DELETE", `/api/connections/${own.id}`);
    // What the isolate saw a moment ago is believed for ten seconds.
    now += 10_001;
    expect(await Promise.all(reads)).toEqual(sources.map(() => "data: x\n\n"));
    for (const source of sources) expect(source.cancelled()).toBe(true);
  });

  it("is looked at often enough for 30 s", () => {
    const believed = 10_000;
    expect(relayTimes.checkEvery * 2 + believed).toBeLessThan(35_000);
    expect(relayTimes.checkEvery + believed).toBeLessThan(30_000);
  });

  it("asks its client to reconnect between events when its queries are spent", async () => {
    const source = fed();
    const spent: Watch = { check: async () => "reconnect", end: () => {} };
    const read = readAll(relay(source.reader, spent));
    source.send("data: hal");
    await pause(100);
    source.send("f\n\n");
    expect(await read).toBe("data: half\n\n");
  });

  it("ends when the database cannot be asked twice in a row", async () => {
    const source = fed();
    let asked = 0;
    const blind: Watch = {
      check: async () => {
        asked += 1;
        throw new Error("D1_ERROR");
      },
      end: () => {},
    };
    expect(await readAll(relay(source.reader, blind))).toMatch(/^(: keepalive\n\n)*$/);
    expect(asked).toBe(2);
  });

  it("many of one isolate share their queries", async () => {
    let queries = 0;
    const asks = {
      activeAmong: async (ids: readonly string[]) => {
        queries += 1;
        return new Set(ids);
      },
    };
    const watches = Array.from({ length: 50 }, (_, at) =>
      watchStream(`con_shared_${at}`, 10, asks, Date.now),
    );
    for (const watch of watches) expect(await watch.check()).toBe("go_on");
    expect(queries).toBe(1);
    for (const watch of watches) watch.end();
  });
});
