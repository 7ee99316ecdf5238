// Row c0: Bindify whose storage answers from memory. After POST /__bench/freeze each statement and each KV call
// reaches the real binding once more; what it answered is the answer from then on. There is one connection, so
// the text of a statement is enough to know it by.
import worker from "../../../src/worker.ts";
import { type Tap, tapDatabase, tapNamespace, withMemoryLimiter } from "./tap.ts";

let frozen = false;
const answers = new Map<string, unknown>();

const tap: Tap = async ({ binding, what }, execute) => {
  const key = `${binding} ${what}`;
  if (frozen && answers.has(key)) return answers.get(key);
  const answer = await execute();
  if (frozen) answers.set(key, answer);
  return answer;
};

let tapped: Parameters<typeof worker.fetch>[1] | undefined;

export default {
  fetch(...[request, env, context]: Parameters<typeof worker.fetch>): Response | Promise<Response> {
    if (request.url.endsWith("/__bench/freeze")) {
      frozen = true;
      return new Response(null, { status: 204 });
    }
    tapped ??= {
      ...withMemoryLimiter(env),
      DB: tapDatabase(env.DB, tap),
      BLOBS: tapNamespace(env.BLOBS, tap),
    };
    return worker.fetch(request, tapped, context);
  },
};
