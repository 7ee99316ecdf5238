// Bindify with its storage operations counted; GET /__bench/counts answers them and starts again from zero.
import worker from "../../../src/worker.ts";
import { type Tap, tapDatabase, tapNamespace, withMemoryLimiter } from "./tap.ts";

const zero = { d1Queries: 0, d1Writes: 0, rowsRead: 0, rowsWritten: 0, kvReads: 0, kvWrites: 0 };
let counts = { ...zero };

function hasMeta(result: unknown): result is { meta: D1Meta } {
  return typeof result === "object" && result !== null && "meta" in result;
}

const tap: Tap = async ({ binding, what, statements }, execute) => {
  if (binding === "kv") {
    if (what.startsWith("get") || what === "list") counts.kvReads += 1;
    else counts.kvWrites += 1;
    return await execute();
  }
  counts.d1Queries += statements;
  if (/\b(insert|update|delete|replace)\b/i.test(what)) counts.d1Writes += 1;
  const result = await execute();
  for (const one of Array.isArray(result) ? result : [result]) {
    if (!hasMeta(one)) continue;
    counts.rowsRead += one.meta.rows_read;
    counts.rowsWritten += one.meta.rows_written;
  }
  return result;
};

let tapped: Parameters<typeof worker.fetch>[1] | undefined;

export default {
  fetch(...[request, env, context]: Parameters<typeof worker.fetch>): Response | Promise<Response> {
    if (request.url.endsWith("/__bench/counts")) {
      const response = Response.json(counts);
      counts = { ...zero };
      return response;
    }
    tapped ??= {
      ...withMemoryLimiter(env),
      DB: tapDatabase(env.DB, tap),
      BLOBS: tapNamespace(env.BLOBS, tap),
    };
    return worker.fetch(request, tapped, context);
  },
};
