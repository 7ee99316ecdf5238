import { answer } from "../../src/app.ts";
import { createRuntime, type Bindings } from "../../src/runtime.ts";

/** What the deployment takes itself for; its tests go to its real address. */
const publicUrl = "https://bindify.example";

/**
 * The worker as on a public address, while its peers are still on loopback: providers are given https addresses, and
 * the client document counts.
 */
export default {
  async fetch(request, env, ctx): Promise<Response> {
    const runtime = await createRuntime(env, ctx, "log_events");
    return await answer(request, { ...runtime, localMode: false, site: { ...runtime.site, publicUrl } }, ctx);
  },
} satisfies ExportedHandler<Bindings>;
