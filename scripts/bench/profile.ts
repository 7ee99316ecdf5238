import { once } from "node:events";
import { z } from "zod";
import { freePort, type Bench, startBindify } from "./rows.ts";
import { table } from "./report.ts";
import { load } from "./wrk.ts";

const profileSchema = z.object({
  profile: z.object({
    nodes: z.array(
      z.object({
        id: z.number(),
        callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      }),
    ),
    samples: z.array(z.number()),
    timeDeltas: z.array(z.number()),
  }),
});

const targetsSchema = z.array(z.object({ webSocketDebuggerUrl: z.string(), title: z.string() }));

/** Calls of the inspector protocol over one socket. */
async function openInspector(port: number) {
  const listed = targetsSchema.parse(await (await fetch(`http://127.0.0.1:${port}/json`)).json());
  const url = listed[0]?.webSocketDebuggerUrl;
  if (url === undefined) throw new Error("workerd offers nothing to inspect");
  const socket = new WebSocket(url);
  await once(socket, "open");
  let last = 0;
  return {
    call: async (method: string, params: Record<string, unknown> = {}): Promise<unknown> => {
      last += 1;
      const id = last;
      const answered = new Promise<unknown>((resolve) => {
        const listen = (event: MessageEvent) => {
          const message: { id?: number; result?: unknown } = JSON.parse(String(event.data));
          if (message.id !== id) return;
          socket.removeEventListener("message", listen);
          resolve(message.result);
        };
        socket.addEventListener("message", listen);
      });
      socket.send(JSON.stringify({ id, method, params }));
      return await answered;
    },
    close: () => socket.close(),
  };
}

type Profile = z.output<typeof profileSchema>["profile"];

/** Milliseconds of self time per function, the most first. */
export function selfTimes({ nodes, samples, timeDeltas }: Profile): { name: string; milliseconds: number }[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || "(anonymous)"}${url === "" ? "" : `  line ${lineNumber + 1}`}`,
    ]),
  );
  const times = new Map<string, number>();
  for (const [index, node] of samples.entries()) {
    const name = names.get(node) ?? "?";
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  }
  return [...times]
    .map(([name, milliseconds]) => ({ name, milliseconds }))
    .toSorted((a, b) => b.milliseconds - a.milliseconds);
}

/** Where Bindify's own CPU goes: c0 under load, as text. Lines are those of the bundle. */
export async function profile(wrk: string, bench: Bench, seconds: number): Promise<string> {
  const port = await freePort();
  const row = await startBindify("c0", bench, port);
  try {
    await load(wrk, row, 10, 1);
    const inspector = await openInspector(port);
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: 200 });
    await inspector.call("Profiler.start");
    const { requestsPerSecond } = await load(wrk, row, 10, seconds);
    const { profile: taken } = profileSchema.parse(await inspector.call("Profiler.stop"));
    inspector.close();
    const times = selfTimes(taken);
    const busy = times.filter(({ name }) => !/^\((idle|program|root)\)/.test(name));
    const calls = requestsPerSecond * seconds;
    const lines = times
      .slice(0, 30)
      .map(({ name, milliseconds }) => [
        name,
        milliseconds.toFixed(1),
        ((milliseconds * 1000) / calls).toFixed(2),
      ]);
    const total = busy.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    return [
      `Row c0, ${requestsPerSecond.toFixed(0)} requests/s while profiled; ${((total * 1000) / calls).toFixed(1)} µs of JavaScript per request.`,
      "(program) is native code: HTTP, TLS, cryptography; (idle) is waiting.",
      table([["self time", "ms", "µs/request"], ...lines]),
    ].join("\n");
  } finally {
    await row.stop();
  }
}
