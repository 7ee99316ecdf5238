import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { strayOffence } from "../../src/defence/offence.ts";
import { concat, toHex, utf8 } from "../../src/lib/bytes.ts";
import { checkDestination } from "../../src/lib/destination.ts";
import { Fault } from "../../src/lib/fault.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { readChallenge } from "../../src/oauth/challenge.ts";
import { readTokenAnswer } from "../../src/oauth/normalize.ts";
import { relayEvents } from "../../src/proxy/event-stream.ts";
import { readEndpointEvent } from "../../src/proxy/legacy-sse.ts";
import { parseMcpPath } from "../../src/proxy/route.ts";
import { formatApiKey, formatCredential, parseApiKey, parseCredential } from "../../src/vault/credential.ts";
import { deriveSealingKey, importKeyMaterial } from "../../src/vault/derive.ts";
import { open, seal, VaultError, type EnvelopeContext } from "../../src/vault/envelope.ts";
import { fuzz } from "../support/fuzz.ts";

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((value) => new Uint8Array(value));
const text = fc.oneof(fc.string({ maxLength: 120 }), fc.string({ unit: "binary", maxLength: 60 }));

function streamOf(chunks: readonly Uint8Array[]): ReadableStreamDefaultReader<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  }).getReader();
}

/** What `work` needs at its quickest of three times, ms: a machine that is busy with other things is no part of it. */
const quickest = (work: () => unknown): number =>
  Math.min(
    ...[1, 2, 3].map(() => {
      const began = performance.now();
      work();
      return performance.now() - began;
    }),
  );

/** The same bytes in pieces of random sizes. */
const pieces = (whole: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] => {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let turn = 0; at < whole.length; turn += 1) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 1);
    chunks.push(whole.slice(at, at + size));
    at += size;
  }
  return chunks;
};

describe("paths and addresses", () => {
  it("T24 a path is ours only in its exact form", () => {
    const part = fc.constantFrom(
      "",
      "mcp",
      "custom",
      "A".repeat(86),
      "sse",
      "messages",
      "..",
      ".",
      "%2f",
      "x;y",
      "token",
      "\0",
    );
    const property = fc.property(
      fc.oneof(
        text,
        fc.array(part, { maxLength: 6 }).map((all) => all.join("/")),
      ),
      (path) => {
        const address = parseMcpPath(path);
        if (address === undefined) return;
        const leg = address.leg === "stream" ? [] : [address.leg];
        const own = address.credential === undefined ? [] : [address.credential];
        expect(["", "mcp", address.service, ...own, ...leg].join("/")).toBe(path);
        expect(path).toMatch(/^[\w/-]+$/);
      },
    );
    fc.assert(property, fuzz(3000));
  });

  it("T50 a destination that passes is https to a host with a dot, or is refused without a throw", () => {
    const policy = { allowLoopback: false, ownHosts: ["bindify.example"] };
    const address = fc.oneof(
      text,
      fc.webUrl({
        validSchemes: ["http", "https", "ftp", "ws"],
        withFragments: true,
        withQueryParameters: true,
      }),
      fc
        .oneof(
          fc.ipV4(),
          fc.ipV4Extended(),
          fc.ipV6().map((ip) => `[${ip}]`),
        )
        .map((host) => `https://${host}/x`),
    );
    const property = fc.property(address, (given) => {
      const verdict = checkDestination(given, policy);
      if (!verdict.ok) return;
      const { protocol, hostname, port, username, password } = verdict.url;
      expect([protocol, port, username, password]).toEqual(["https:", "", "", ""]);
      expect(hostname).toMatch(/\.|^\[[23]/);
      expect(hostname).not.toMatch(
        /^(?:127|10|0)\.\d+\.\d+\.\d+$|^(?:169\.254|192\.168)\.\d+\.\d+$|bindify\.example$|^localhost/,
      );
    });
    fc.assert(property, fuzz(3000));
  });

  it("any path is judged in a time that does not grow out of hand", () => {
    const property = fc.property(fc.string({ unit: "binary", maxLength: 5000 }), (path) => {
      expect(["scan", "stray", "innocent"]).toContain(strayOffence(path));
      expect(quickest(() => strayOffence(path))).toBeLessThan(500);
    });
    fc.assert(property, fuzz(300));
    for (const part of ["/", ".", "%2e", "../", "apple-touch-icon", "/wp-"])
      expect(
        quickest(() => strayOffence(part.repeat(4000))),
        part,
      ).toBeLessThan(500);
  });
});

const editedText = (whole: string) =>
  fc
    .tuple(fc.nat({ max: whole.length }), fc.nat({ max: 3 }), fc.string({ maxLength: 3 }))
    .map(([at, cut, added]) => whole.slice(0, at) + added + whole.slice(at + cut));

describe("credentials and envelopes", () => {
  it("T12 text is a credential in its one spelling, or none", () => {
    const own = formatCredential({ id: systemRandom(32), key: systemRandom(32) });
    const key = formatApiKey({ id: systemRandom(32), key: systemRandom(32) }, "test");
    const property = fc.property(fc.oneof(text, editedText(own), editedText(key)), (given) => {
      const credential = parseCredential(given);
      if (credential !== undefined) expect(formatCredential(credential)).toBe(given);
      const parsed = parseApiKey(given, "test");
      if (parsed !== undefined) expect(formatApiKey(parsed, "test")).toBe(given);
      expect(parseApiKey(given, "live")).toBeUndefined();
    });
    fc.assert(property, fuzz(3000));
  });

  it("T8 an envelope that was changed anywhere, or is none, is a VaultError", async () => {
    const key = await deriveSealingKey(await importKeyMaterial(systemRandom(32)), "con_1", "grant");
    const kid = systemRandom(8);
    const context: EnvelopeContext = {
      environment: "test",
      connectionId: "con_1",
      workspaceId: "wsp_1",
      serviceId: "custom",
      storage: "managed",
      lookup: systemRandom(32),
      verifier: systemRandom(32),
      purpose: "grant",
      generation: 1,
    };
    const sealed = await seal({ key, kid, context, plaintext: utf8("a secret"), random: systemRandom });
    const edited = fc
      .tuple(fc.nat({ max: sealed.length }), fc.nat({ max: 4 }), bytes(4))
      .map(([at, cut, added]) => concat(sealed.slice(0, at), added, sealed.slice(at + cut)));
    const property = fc.asyncProperty(fc.oneof(bytes(120), edited), async (envelope) => {
      if (toHex(envelope) === toHex(sealed)) return;
      await expect(open({ key, kid, context, envelope })).rejects.toBeInstanceOf(VaultError);
    });
    await fc.assert(property, fuzz(500));
  });
});

describe("what authorization servers say", () => {
  it("T40 any answer of a token endpoint is tokens that can be stored and sent, an error code, or unusable", () => {
    const field = fc.oneof(fc.jsonValue({ maxDepth: 1 }), text, fc.integer(), fc.double());
    const names = ["access_token", "token_type", "refresh_token", "expires_in", "scope", "error"] as const;
    const body = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom(...names), field),
      fc.record({
        access_token: fc.oneof(
          text,
          fc
            .jsonValue({ maxDepth: 0 })
            .map((claims) => `a.${btoa(encodeURIComponent(JSON.stringify(claims)))}.c`),
        ),
        expires_in: field,
        token_type: fc.constantFrom("bearer", "Bearer", "mac"),
      }),
    );
    const property = fc.property(
      fc.integer({ min: 200, max: 599 }),
      body,
      body,
      fc.nat(),
      (status, answer, nested, now) => {
        const read = readTokenAnswer(status, answer, nested, now);
        if (read.kind === "error") expect(read.code).toMatch(/^[\x20-\x7e]{1,100}$/);
        if (read.kind !== "tokens") return;
        expect([200, 201]).toContain(status);
        const { access_token, refresh_token, expires_at } = read.tokens;
        expect(access_token).toMatch(/^[\x21-\x7e]+$/);
        if (refresh_token !== undefined) expect(refresh_token).toMatch(/^[\x21-\x7e]+$/);
        if (expires_at !== null) expect(Number.isSafeInteger(expires_at)).toBe(true);
        expect(() => new Headers({ authorization: `Bearer ${access_token}` })).not.toThrow();
      },
    );
    fc.assert(property, fuzz(2000));
  });

  it("any challenge is read without a throw, and in good time", () => {
    const value = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc
        .array(
          fc.constantFrom(
            "Bearer ",
            'scope="',
            "resource_metadata=",
            '"',
            "\\",
            ",",
            " ",
            "=",
            "error=",
            "a",
          ),
          { maxLength: 60 },
        )
        .map((all) => all.join("")),
    );
    const property = fc.property(value, (given) => {
      const headers = new Headers();
      headers.set("www-authenticate", given.trim());
      for (const one of Object.values(readChallenge(headers)))
        expect(["string", "undefined"]).toContain(typeof one);
    });
    fc.assert(property, fuzz(1500));
    const endless = new Headers({ "www-authenticate": `scope="${"\\\\".repeat(8000)}` });
    expect(quickest(() => readChallenge(endless))).toBeLessThan(500);
  });
});

describe("event streams", () => {
  const line = fc.constantFrom(
    "data: x",
    "event: endpoint",
    "data: /messages?s=1",
    ": comment",
    "id: 7",
    "retry: 1",
    "data",
    "",
    "é",
  );
  const end = fc.constantFrom("\n", "\r\n", "\r");
  const events = fc
    .array(fc.tuple(line, fc.oneof(fc.constant(new Uint8Array(0)), bytes(3)), end), { maxLength: 20 })
    .map((lines) => concat(...lines.flatMap(([field, odd, last]) => [utf8(field), odd, utf8(last)])));
  const stream = fc.oneof(events, bytes(200));
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });

  it("pass byte for byte, however they are cut", async () => {
    const property = fc.asyncProperty(stream, sizes, async (whole, cuts) => {
      const relayed = relayEvents(streamOf(pieces(whole, cuts)), {
        watch: { check: async () => "go_on", end: () => {} },
        clock: Date.now,
        times: { silence: 60_000, checkEvery: 60_000 },
      });
      expect(toHex(new Uint8Array(await new Response(relayed).arrayBuffer()))).toBe(toHex(whole));
    });
    await fc.assert(property, fuzz(400));
  });

  it("T51 the opening of HTTP+SSE names an address of the sealed origin, or is a fault", async () => {
    const property = fc.asyncProperty(stream, sizes, async (whole, cuts) => {
      try {
        const first = await readEndpointEvent(streamOf(pieces(whole, cuts)), "https://mcp.example/sse");
        expect(new URL(first.endpoint).origin).toBe("https://mcp.example");
        expect(new TextDecoder().decode(first.before)).not.toMatch(/^(?:event|data)/m);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        expect(error.code).toBe("upstream_protocol");
      }
    });
    await fc.assert(property, fuzz(600));
  });
});
