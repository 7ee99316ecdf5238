import { env } from "cloudflare:workers";
import type { Haystack } from "./canary.ts";
import { captureConsole, type Capture } from "./capture.ts";
import type { CallInit, Instance } from "./instance.ts";

export interface Watched {
  /** Every answer of ours, header and body, and whatever else a test adds. */
  readonly haystacks: Haystack[];
  /** Console lines of invocations whose path may hold a credential. */
  readonly forbidden: string[];
  readonly capture: Capture;
  readonly call: (from: Instance, name: string, path: string, init: CallInit) => Promise<void>;
}

/** How `/open/…` of support/node/odd-upstream.ts begins: what the service itself says is passed on as it is. */
const passedOn = '"result":{"method":';

/** Makes calls and keeps all that becomes visible of them. */
export function watched(): Watched {
  const capture = captureConsole();
  const haystacks: Haystack[] = [];
  const forbidden: string[] = [];
  return {
    capture,
    haystacks,
    forbidden,
    async call(from, name, path, init) {
      const before = capture.lines.length;
      const answer = await from.fetch(path, init);
      const body = await answer.text();
      haystacks.push({ place: `headers of ${name}`, text: [...answer.headers].join("\n") });
      if (!body.includes(passedOn)) haystacks.push({ place: `answer to ${name}`, text: body });
      const isApi = new URL(path, env.PUBLIC_URL).pathname.startsWith("/api/");
      // As long as a credential is nothing else in an address.
      if (!isApi || /[\w-]{86}/.test(path))
        forbidden.push(...capture.lines.slice(before).map((line) => `${name}: ${line}`));
    },
  };
}
