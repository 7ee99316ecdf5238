import { inject } from "vitest";
import { z } from "zod";

const recorded = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  rawHeaders: z.array(z.string()),
  body: z.string(),
  bodyLength: z.number(),
  /** It was answered in full. */
  finished: z.boolean(),
});

export type Recorded = z.output<typeof recorded>;

export interface Upstream {
  readonly url: string;
  /** Every request that reached it since the last `forget`. */
  requests(): Promise<readonly Recorded[]>;
  /** Starts over: what connecting sent is not counted. */
  forget(): Promise<void>;
}

/**
 * An address of its own at the real echo server, so that test files which run at once do not see each other's
 * requests. `behaviour` is a path that it knows, such as `/echo` or `/leak?status=200`; `/mcp` is a small MCP server.
 */
export function upstream(behaviour = "/mcp"): Upstream {
  const [path = "", query] = behaviour.split("?");
  const own = `${path}/${crypto.randomUUID()}`;
  let skipped = 0;

  const all = async (): Promise<readonly Recorded[]> => {
    const answer = await fetch(`${inject("echoUrl")}/_/requests`);
    const requests = z.array(recorded).parse(await answer.json());
    return requests.filter((request) => request.url.startsWith(own));
  };

  return {
    url: `${inject("echoUrl")}${own}${query === undefined ? "" : `?${query}`}`,
    requests: async () => (await all()).slice(skipped),
    forget: async () => {
      skipped = (await all()).length;
    },
  };
}
