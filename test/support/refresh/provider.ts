import { OutboundError, type Outbound } from "../../../src/lib/outbound.ts";

/** What the provider does with the next token request, instead of answering it with tokens. */
export type Behaviour =
  /** Answers this and does nothing. */
  | { readonly kind: "answer"; readonly answer: () => Response }
  /** Never sees the request. */
  | { readonly kind: "unreachable" }
  /** Rotates, and the answer is lost. */
  | { readonly kind: "lost" }
  /** Rotates, and the answer breaks off. */
  | { readonly kind: "truncated" }
  /** Does as usual after this, or does as usual and answers after this. */
  | { readonly kind: "after" | "answers after"; readonly wait: Promise<unknown> }
  /** Does as usual, with the answer in another form. */
  | { readonly kind: "shaped"; readonly shape: (tokens: TokenBody) => object };

export interface TokenBody {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in: number;
  readonly refresh_token?: string;
}

export interface ProviderOptions {
  /** ms in which a used refresh token is answered again, with the same successor. */
  readonly grace?: number;
  /** Inside the grace, the answer carries no refresh token. */
  readonly graceWithoutRefreshToken?: boolean;
}

export interface ModelProvider {
  readonly outbound: Outbound;
  /** Refresh tokens in the order in which they were presented. */
  readonly presented: string[];
  /** Tokens that were revoked on request. */
  readonly revoked: string[];
  /** False once a used refresh token came back after the grace: everything ended. */
  readonly alive: boolean;
  /** Refresh tokens that were used up. */
  readonly rotations: number;
  first(): TokenBody;
  forgetScript(): void;
  next(...behaviours: readonly Behaviour[]): void;
  /** Would this refresh token be answered with tokens now? */
  takes(refreshToken: string | undefined): boolean;
  /** Lets time pass for the grace. */
  age(ms: number): void;
}

/** A token endpoint with rotation and reuse detection, in memory: each refresh token serves once. */
export function createProvider(options: ProviderOptions = {}): ModelProvider {
  const used = new Map<string, { at: number; successor: TokenBody }>();
  const valid = new Set<string>();
  const script: Behaviour[] = [];
  const [presented, revoked]: [string[], string[]] = [[], []];
  const grace = options.grace ?? 0;
  let [alive, issued, aged] = [true, 0, 0];

  const issue = (): TokenBody => {
    issued += 1;
    const name = `${issued}-${crypto.randomUUID()}`;
    valid.add(`rt-${name}`);
    return {
      access_token: `at-${name}`,
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: `rt-${name}`,
    };
  };
  const inGrace = (token: string): boolean => {
    const earlier = used.get(token);
    return earlier !== undefined && Date.now() + aged < earlier.at + grace;
  };

  const rotate = (token: string): TokenBody | undefined => {
    if (!alive) return undefined;
    const earlier = used.get(token);
    if (valid.delete(token)) {
      const successor = issue();
      used.set(token, { at: Date.now() + aged, successor });
      return successor;
    }
    if (earlier === undefined) return undefined;
    if (!inGrace(token)) {
      alive = false;
      return undefined;
    }
    const { refresh_token: _, ...bare } = earlier.successor;
    return options.graceWithoutRefreshToken ? bare : earlier.successor;
  };

  const outbound: Outbound = async (url, request) => {
    const form = new URLSearchParams(typeof request.body === "string" ? request.body : "");
    if (!url.endsWith("/token")) {
      revoked.push(form.get("token") ?? url);
      valid.delete(form.get("token") ?? "");
      return new Response(null, { status: 200 });
    }
    const token = form.get("refresh_token") ?? "";
    presented.push(token);
    const behaviour = script.shift();
    if (behaviour?.kind === "answer") return behaviour.answer();
    if (behaviour?.kind === "unreachable") throw new OutboundError("unreachable");
    if (behaviour?.kind === "after") await behaviour.wait;
    const tokens = rotate(token);
    if (behaviour?.kind === "answers after") await behaviour.wait;
    if (behaviour?.kind === "lost") throw new OutboundError("unreachable");
    if (tokens === undefined) return Response.json({ error: "invalid_grant" }, { status: 400 });
    if (behaviour?.kind === "truncated") return cut(JSON.stringify(tokens));
    return Response.json(behaviour?.kind === "shaped" ? behaviour.shape(tokens) : tokens);
  };

  return {
    outbound,
    presented,
    revoked,
    get alive() {
      return alive;
    },
    get rotations() {
      return used.size;
    },
    first: issue,
    forgetScript: () => void script.splice(0),
    next: (...behaviours) => script.push(...behaviours),
    takes: (token) => token !== undefined && alive && (valid.has(token) || inGrace(token)),
    age: (ms) => {
      aged += ms;
    },
  };
}

function cut(json: string): Response {
  return new Response(json.slice(0, json.length / 2), { headers: { "content-type": "application/json" } });
}

export function answering(status: number, body: string, headers: Record<string, string> = {}): Behaviour {
  return { kind: "answer", answer: () => new Response(body, { status, headers }) };
}

export function refusing(status: number, error: string): Behaviour {
  return { kind: "answer", answer: () => Response.json({ error }, { status }) };
}
