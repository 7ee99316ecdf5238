import { checkDestination, type DestinationPolicy } from "../../src/lib/destination.ts";
import { createOutbound, OutboundError } from "../../src/lib/outbound.ts";
import type { PreRegistered } from "../../src/connect/oauth-client.ts";
import type { Runtime } from "../../src/http/context.ts";
import { createOauthHttp } from "../../src/oauth/http.ts";
import { createCatalogue } from "../../src/services/index.ts";
import { createInstance, type Instance, type TestEnv } from "./instance.ts";

export interface PublicInstance extends Instance {
  /** Each address that was wanted, in order; one that the guard refused begins with `!`. */
  readonly wanted: string[];
}

/**
 * A deployment on a public address, with the guard as it is there. What passes the guard reaches the hostile server,
 * whatever its name: `https://a.example/b` is its route `/@a.example/b`.
 */
export function publicInstance(
  hostile: string,
  clients: Readonly<Record<string, PreRegistered>> = {},
  changes: Partial<TestEnv> = {},
): PublicInstance {
  const strict: DestinationPolicy = { allowLoopback: false, ownHosts: ["bindify.example", "admin.example"] };
  const loopback = createOutbound({ allowLoopback: true, ownHosts: [] });
  const wanted: string[] = [];
  const outbound: Runtime["outbound"] = async (target, request) => {
    const { ok } = checkDestination(target, strict);
    wanted.push(ok ? target : `!${target}`);
    if (!ok) throw new OutboundError("denied");
    const { host, pathname, search } = new URL(target);
    return await loopback(`${hostile}/@${host}${pathname}${search}`, request);
  };
  const preRegistered = new Map(Object.entries(clients));
  const instance = createInstance(changes, (runtime) => ({
    ...runtime,
    localMode: false,
    destinations: strict,
    outbound,
    oauth: createOauthHttp(outbound),
    preRegistered,
    site: { ...runtime.site, publicUrl: "https://bindify.example" },
    catalogue: createCatalogue({
      demoOrigin: undefined,
      paused: [],
      preRegistered: new Set(preRegistered.keys()),
    }),
  }));
  return { ...instance, wanted };
}
