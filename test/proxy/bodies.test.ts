import { beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { toHex } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { problemOf, rpcCall, rpcErrorOf, withHeaders } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { upstream, type Upstream } from "../support/upstream.ts";

const instance = createInstance();
const upload = { "mcp-param-behave": "/upload", "content-type": "application/json" };
const received = z.object({ sha256: z.string(), length: z.number() });
let person: Person;
let connected: Connected;
let service: Upstream;

beforeAll(async () => {
  person = await createPerson(instance);
  service = upstream();
  connected = await person.connect({ url: service.url });
});

const digest = async (bytes: Uint8Array) =>
  toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

/** `count` chunks of 64 KiB, made as they are asked for. */
function stream(count: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(64 * 1024).fill(0x20);
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      sent += 1;
      if (sent > count) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

describe("request bodies", () => {
  it.each([1, 1000, 65_535, 65_536, 65_537, 300_000])(
    "of %i bytes pass byte for byte, of known length or not",
    async (size) => {
      const body = new Uint8Array(size);
      for (let at = 0; at < size; at += 65_536) body.set(systemRandom(Math.min(65_536, size - at)), at);
      for (const headers of [upload, { ...upload, "content-length": String(size) }]) {
        const answer = await instance.fetch(connected.secretPath, { method: "POST", headers, body });
        expect(received.parse(await answer.json())).toEqual({ length: size, sha256: await digest(body) });
      }
    },
  );

  it.each([
    "{",
    "",
    "null",
    '{"jsonrpc":"2.0","id":1,"method":"x","_meta":{"b":1,"a":2}}  \n',
    "not JSON at all \u0000",
  ])("are not read: %j goes out as it is", async (text) => {
    const body = new TextEncoder().encode(text);
    const answer = await instance.fetch(connected.secretPath, { method: "POST", headers: upload, body });
    expect(received.parse(await answer.json())).toEqual({ length: body.length, sha256: await digest(body) });
  });

  it("T67 a declared length over 100 MiB is refused before anything is sent", async () => {
    await service.forget();
    for (const length of [String(100 * 1024 * 1024 + 1), "1e12", "9".repeat(40)]) {
      const answer = await instance.fetch(
        connected.secretPath,
        withHeaders(rpcCall(), { "content-length": length }),
      );
      await rpcErrorOf(answer, "payload_too_large");
    }
    expect(await service.requests()).toEqual([]);
  });

  it("T67 an undeclared length is cut at 100 MiB", async () => {
    await service.forget();
    const answer = await instance.fetch(connected.secretPath, {
      method: "POST",
      headers: upload,
      body: stream(1602),
    });
    await problemOf(answer, "payload_too_large");
    expect(
      (await service.requests()).map(({ finished }) => finished),
      "and not taken for complete",
    ).toEqual([false]);
    const within = await instance.fetch(connected.secretPath, {
      method: "POST",
      headers: upload,
      body: stream(64),
    });
    expect(received.parse(await within.json()).length).toBe(64 * 64 * 1024);
  });
});

describe("response bodies", () => {
  it("pass byte for byte, of known length or not", async () => {
    for (const behave of ["/large?mb=4", "/large?mb=4&chunked", "/drip?bytes=30&every=1", "/status/404"]) {
      const direct = await (await fetch(inject("echoUrl") + behave)).arrayBuffer();
      const answer = await instance.fetch(
        connected.secretPath,
        withHeaders(rpcCall(), { "mcp-param-behave": behave }),
      );
      expect(await digest(new Uint8Array(await answer.arrayBuffer()))).toBe(
        await digest(new Uint8Array(direct)),
      );
    }
  });

  it("T66 two people, the same request: two calls, each with their own key, nothing shared", async () => {
    const other = await createPerson(instance);
    const url = `${inject("oddUrl")}/open/200`;
    const header = { name: "X-Service-Key" };
    const [one, two] = [
      await person.connect({ url, key: "first-key", header }),
      await other.connect({ url, key: "second-key", header }),
    ];
    const [first, second, again] = await Promise.all(
      [one, two, one].map(
        async ({ secretPath }) => await (await instance.fetch(secretPath, rpcCall())).text(),
      ),
    );
    expect(first).toContain("first-key");
    expect(first).not.toContain("second-key");
    expect(second).toContain("second-key");
    expect(again).toContain("first-key");
  });
});
