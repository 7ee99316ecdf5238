// Row c: Bindify as it is, but for where the rate limit is counted.
import worker from "../../../src/worker.ts";
import { withMemoryLimiter } from "./tap.ts";

type Fetch = typeof worker.fetch;

let own: Parameters<Fetch>[1] | undefined;

export default {
  fetch(...[request, env, context]: Parameters<Fetch>): ReturnType<Fetch> {
    own ??= withMemoryLimiter(env);
    return worker.fetch(request, own, context);
  },
};
