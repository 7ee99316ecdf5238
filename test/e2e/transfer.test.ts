import { createHash, randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { peakMegabytes, residentMegabytes, resetPeak } from "../../scripts/bench/proc.ts";
import { formsOf } from "../support/node/credential-forms.ts";
import { type EchoUpstream, startEchoUpstream } from "../support/node/echo-upstream.ts";
import { type Connected, type Instance, startInstance } from "../support/node/instance.ts";

let instance: Instance;
let upstream: EchoUpstream;
let connected: Connected;

beforeAll(async () => {
  [instance, upstream] = await Promise.all([
    startInstance({ demo: false, page: false, twin: true }),
    startEchoUpstream(),
  ]);
  connected = await instance.connect({ url: `${upstream.url}/mcp`, key: "good-key" });
});
afterAll(async () => {
  await instance?.close();
  await upstream?.close();
});

const megabyte = 1024 * 1024;
const received = z.object({ sha256: z.string(), length: z.number() });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Both forms, at the isolate that no entry worker of Miniflare's stands before. */
const forms = () =>
  formsOf(connected).map((form) => ({ ...form, url: form.url.replace(instance.url, instance.twinUrl) }));

/** Reads `mb` mebibytes, waiting in between as a slow client does; their digest and number. */
async function download(at: 0 | 1, mb: number): Promise<{ sha256: string; length: number }> {
  const { url, headers } = forms()[at] ?? { url: "", headers: {} };
  const behave = { "mcp-param-behave": `/large?mb=${mb}&chunked` };
  const answer = await fetch(url, { method: "POST", headers: { ...headers, ...behave }, body: "{}" });
  const digest = createHash("sha256");
  let length = 0;
  if (answer.body === null) throw new Error("no body");
  for await (const chunk of answer.body) {
    if (length === 0) await pause(300);
    digest.update(chunk);
    length += chunk.byteLength;
  }
  return { sha256: digest.digest("hex"), length };
}

async function upload(at: 0 | 1, body: Uint8Array<ArrayBuffer>, chunked: boolean) {
  const { url, headers } = forms()[at] ?? { url: "", headers: {} };
  const answer = await fetch(url, {
    method: "POST",
    headers: { ...headers, "mcp-param-behave": "/upload" },
    ...(chunked ? { body: new Blob([body]).stream(), duplex: "half" } : { body }),
  });
  return received.parse(await answer.json());
}

/** By how much the process grew at its highest while `work` was done, MB; undefined where there is no /proc. */
async function riseDuring(work: () => Promise<unknown>): Promise<number | undefined> {
  const before = resetPeak(instance.pid) ? residentMegabytes(instance.pid) : undefined;
  await work();
  const peak = peakMegabytes(instance.pid);
  return before === undefined || peak === undefined ? undefined : peak - before;
}

describe("large bodies", () => {
  const whole = Buffer.alloc(100 * megabyte, "0123456789abcdef");

  it("T69 a response of 100 MB arrives byte for byte at flat memory", async () => {
    const expected = { sha256: sha256(whole), length: whole.length };
    // The first one claims the buffers that later ones use again.
    expect(await download(0, 100)).toEqual(expected);
    const rise = await riseDuring(async () => {
      expect(await download(0, 100)).toEqual(expected);
      expect(await download(1, 100)).toEqual(expected);
    });
    if (rise !== undefined) expect(rise).toBeLessThan(12);
  });

  for (const chunked of [false, true]) {
    it(`T69 requests of 5 MB arrive byte for byte at flat memory, ${chunked ? "chunked" : "of declared length"}`, async () => {
      const body = new Uint8Array(randomBytes(5 * megabyte));
      const expected = { sha256: sha256(body), length: body.length };
      const eight = async () => {
        const sent = [0, 1, 0, 1, 0, 1, 0, 1].map((at) => upload(at === 0 ? 0 : 1, body, chunked));
        for (const got of await Promise.all(sent)) expect(got).toEqual(expected);
      };
      await eight();
      const rise = await riseDuring(eight);
      // Eight at once: 40 MB, were any of them kept.
      if (rise !== undefined) expect(rise).toBeLessThan(20);
    });
  }
});
