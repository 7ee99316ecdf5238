import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Front, type FrontOptions, startFront } from "../../scripts/start/front.ts";
import { freePort } from "../support/node/free-port.ts";
import { listenOnLoopback, type Listening } from "../support/node/listening.ts";
import { sendRaw } from "../support/node/raw-http.ts";
import { readEvents } from "../support/node/sse-reader.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

let worker: Listening;
let front: Front;
let url: string;
/** What the worker behind does; each test says. */
let handle: Handler;

/** With times that no machine is too busy for, unless the test is about their end. */
async function start(times: Partial<FrontOptions> = {}): Promise<void> {
  worker = await listenOnLoopback(0, (request, response) => handle(request, response));
  const port = await freePort();
  const workerPort = () => Number(new URL(worker.url).port);
  front = await startFront({ port, workerPort, holdFor: 30_000, drainFor: 30_000, ...times });
  url = `http://127.0.0.1:${port}`;
}
afterEach(async () => {
  await front.close();
  await worker.close();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const eventStream: Handler = (_, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: first\n\n");
};

describe("the front of npm start", () => {
  beforeEach(() => start());

  it("hands on target, method, header names and values, and the body as they came", async () => {
    let seen: Pick<IncomingMessage, "method" | "url" | "rawHeaders"> | undefined;
    let body = "";
    handle = async (request, response) => {
      seen = request;
      for await (const chunk of request) body += String(chunk);
      response.writeHead(207, "As It Was", ["X-Odd-CASE", "a, b", "X-odd-case", "c"]).end("answer");
    };
    const exchange = await sendRaw(url, {
      method: "DELETE",
      target: "/a%2Fb//c?x=%20&y",
      headers: { "X-ODD-case": "one", "mcp-Session-Id": "é", Host: "bindify.example:1" },
      body: "what it says",
    });
    const answer = await exchange.answer();
    expect(answer).toMatchObject({ status: 207, body: expect.stringContaining("answer") });
    expect(seen?.method).toBe("DELETE");
    expect(seen?.url).toBe("/a%2Fb//c?x=%20&y");
    expect(body).toBe("what it says");
    const pairs = (seen?.rawHeaders ?? []).flatMap((name, at, all) =>
      at % 2 === 0 ? [`${name}: ${all[at + 1]}`] : [],
    );
    expect(pairs).toEqual(
      expect.arrayContaining(["X-ODD-case: one", "mcp-Session-Id: é", "Host: bindify.example:1"]),
    );
    expect(
      pairs.filter((pair) => /^(host|content-length|transfer-encoding|connection):/i.test(pair)),
    ).toHaveLength(3);
  });

  it("adds no header to an answer, and no body to a request that has none", async () => {
    let headers: string[] = [];
    handle = (request, response) => {
      headers = request.rawHeaders;
      response.sendDate = false;
      response.writeHead(204).end();
    };
    const answer = await fetch(url, { method: "DELETE" });
    expect([...answer.headers.keys()].filter((name) => !["connection", "keep-alive"].includes(name))).toEqual(
      [],
    );
    expect(headers.map((text) => text.toLowerCase())).not.toContain("transfer-encoding");
  });

  it("passes an event on while the stream goes on, and the head before any event", async () => {
    let response: ServerResponse | undefined;
    handle = (_, answer) => {
      response = answer;
      answer.writeHead(200, { "content-type": "text/event-stream" });
      answer.flushHeaders();
    };
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    const events = readEvents(answer);
    response?.write("data: one\n\n");
    expect((await events.next())?.data).toBe("one");
    response?.end("data: two\n\n");
    expect((await events.next())?.data).toBe("two");
    expect(await events.next()).toBeUndefined();
  });

  it.each(["FIN", "RST"])("ends the request behind when its client leaves with a %s", async (how) => {
    const left = new Promise<void>((resolve) => {
      handle = (request, response) => {
        response.once("close", resolve);
        void eventStream(request, response);
      };
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(socket, "data");
    if (how === "FIN") socket.end();
    else socket.resetAndDestroy();
    await left;
    socket.destroy();
  });

  it("cuts an answer that the worker cut, and answers 502 where there is no worker", async () => {
    handle = (_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    };
    const answer = await fetch(url);
    await expect(answer.text()).rejects.toThrow();
    await worker.close();
    expect((await fetch(url)).status).toBe(502);
    worker = await listenOnLoopback(0, () => undefined);
  });
});

describe("the front while the worker is replaced", () => {
  it("lets calls end, cuts streams that only listen, keeps new calls waiting and loses none", async () => {
    await start();
    const [arrived, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    handle = async (request, response) => {
      if (request.method === "GET") return eventStream(request, response);
      arrived.resolve();
      await finish.promise;
      response.end("the old one");
    };
    const listening = readEvents(await fetch(url));
    await listening.next();
    const early = fetch(url, { method: "POST", body: "x" }).then((answer) => answer.text());
    await arrived.promise;

    const order: string[] = [];
    const swap = front.swap(async () => {
      order.push("swap");
      await worker.close();
      worker = await listenOnLoopback(0, (_, response) => void response.end("the new one"));
    });
    await pause(50);
    const late = fetch(url, { method: "POST", body: "x" }).then((answer) => answer.text());
    await pause(50);
    expect(order).toEqual([]);
    finish.resolve();
    expect(await early).toBe("the old one");
    await expect(listening.next()).rejects.toThrow();
    await swap;
    expect(await late).toBe("the new one");
  });

  it("cuts a call that does not end in time, and does not keep others waiting for ever", async () => {
    await start({ holdFor: 300, drainFor: 200 });
    const [arrived, replaced] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    handle = () => arrived.resolve();
    const stuck = fetch(url, { method: "POST", body: "x" });
    const cut = expect(stuck).rejects.toThrow();
    await arrived.promise;
    const swap = front.swap(() => replaced.promise);
    const answer = await fetch(url);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    await cut;
    replaced.resolve();
    await swap;
  });
});
