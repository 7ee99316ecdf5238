import type { Instance } from "../../test/support/node/instance.ts";
import { signLocalToken } from "../lib/local-token.ts";
import { emailOf, isAtClerk, type ClerkDouble } from "./clerk.ts";
import type { Allowance, Collected } from "./evidence.ts";
import type { Secrets } from "./secrets.ts";
import { headersOf, type DrawFaults } from "./storage-faults.ts";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What its answer may hold, if it is ours. The list may grow until everything is judged. */
  readonly allowed?: readonly Allowance[];
  /** What its answer may hold, if it is a service's that was passed on. */
  readonly relayed?: readonly Allowance[];
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Requests {
  /** A request from outside; what comes back is kept as evidence. */
  ask(place: string, url: string, asked?: Asked): Promise<Answered>;
  /** A request of a signed-in person. */
  api(
    place: string,
    user: string,
    path: string,
    asked?: Asked & { readonly json?: unknown },
  ): Promise<Answered>;
}

export interface RequestDeps {
  readonly instance: Instance;
  readonly clerk: Pick<ClerkDouble, "sign">;
  readonly secrets: Secrets;
  readonly collected: Collected;
  /** Answers so far, by status. */
  readonly answers: Map<number, number>;
  readonly nextAddress: () => string;
}

/** Whose sign-in tokens hold no e-mail address. */
const silent = "cleo";

/** With `faults` requests go to the twin, and its storage fails as it is drawn for each of them. */
export function createRequests(deps: RequestDeps, faults?: DrawFaults): Requests {
  const { instance, clerk, secrets, collected, answers, nextAddress } = deps;

  const ask: Requests["ask"] = async (place, url, asked = {}) => {
    const { method = "GET", headers = {}, body, allowed = [], relayed = [] } = asked;
    const plan = faults?.("request");
    const isOwn = faults !== undefined && url.startsWith(instance.url);
    const target = isOwn ? instance.twinUrl + url.slice(instance.url.length) : url;
    const answer = await fetch(target, {
      method,
      // The platform says who calls.
      headers: { "cf-connecting-ip": nextAddress(), ...headers, ...headersOf(plan) },
      redirect: "manual",
      ...(body === undefined ? {} : { body }),
    });
    const text = await textOf(answer);
    answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    const where = plan === undefined ? place : `${place} while storage fails`;
    // Only the services send this header: without it an answer is ours, and may not repeat them.
    const mine = answer.headers.get("mcp-prove") === "relayed" ? relayed : allowed;
    collected.add("answer body", where, text, mine);
    for (const [name, value] of answer.headers) {
      const passed = name === "location" || name.startsWith("mcp-");
      collected.add("answer header", `${name} of ${where}`, value, passed ? mine : []);
    }
    return { status: answer.status, headers: answer.headers, text };
  };

  return {
    ask,
    async api(place, user, path, { json, ...asked } = {}) {
      const email = emailOf(user);
      secrets.note("e-mail address", user, email);
      const token = isAtClerk(user)
        ? await clerk.sign(user, instance.url, user === silent ? undefined : email)
        : await signLocalToken(instance, user, email);
      secrets.note("identity token", user, token);
      const body = json === undefined ? asked.body : JSON.stringify(json);
      const type = body === undefined ? {} : { "content-type": "application/json" };
      return await ask(place, new URL(path, instance.url).href, {
        ...asked,
        headers: { authorization: `Bearer ${token}`, ...type, ...asked.headers },
        ...(body === undefined ? {} : { body }),
      });
    },
  };
}

/** What came of a body before its end or its break. */
async function textOf(answer: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
  return text;
}
