import { once } from "node:events";
import { z } from "zod";
import { type Bench, freePort, type Row, startBindify, startPassthrough } from "./rows.ts";
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
export async function openInspector(port: number) {
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
function selfTimes({ nodes, samples, timeDeltas }: Profile): { name: string; milliseconds: number }[] {
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

/** Microseconds of self time per request by function, and what one row did while it was watched. */
async function watch(wrk: string, row: Row, port: number, seconds: number): Promise<Map<string, number>> {
  await load(wrk, row, 10, 1);
  const inspector = await openInspector(port);
  try {
    await inspector.call("Profiler.enable");
    await inspector.call("Profiler.setSamplingInterval", { interval: 200 });
    await inspector.call("Profiler.start");
    const { requestsPerSecond } = await load(wrk, row, 10, seconds);
    const { profile: taken } = profileSchema.parse(await inspector.call("Profiler.stop"));
    const calls = requestsPerSecond * seconds;
    return new Map(selfTimes(taken).map(({ name, milliseconds }) => [name, (milliseconds * 1000) / calls]));
  } finally {
    inspector.close();
  }
}

function busy(times: ReadonlyMap<string, number>): string {
  return [...times].reduce((sum, [name, time]) => (name === "(idle)" ? sum : sum + time), 0).toFixed(0);
}

/** Where Bindify's own CPU goes: c0 under load beside the pass-through, as text. Lines are those of the bundle. */
export async function profile(wrk: string, bench: Bench, seconds: number): Promise<string> {
  const taken: Map<string, number>[] = [];
  for (const start of [startPassthrough, (...args: [Bench, number]) => startBindify("c0", ...args)]) {
    const port = await freePort();
    const row = await start(bench, port);
    try {
      taken.push(await watch(wrk, row, port, seconds));
    } finally {
      await row.stop();
    }
  }
  const [bare = new Map<string, number>(), own = new Map<string, number>()] = taken;
  const lines = [...own]
    .slice(0, 40)
    .map(([name, time]) => [name, time.toFixed(1), (bare.get(name) ?? 0).toFixed(1)]);
  return [
    "Self time in µs per request, while profiled (which itself slows what calls many functions).",
    "A function's time holds what it calls natively; (program) is what runs outside of JavaScript, such as HTTP.",
    table([["", "c0", "b"], ["everything but (idle)", busy(own), busy(bare)], ...lines]),
  ].join("\n");
}
