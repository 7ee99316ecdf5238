import type { Dice } from "../dice.ts";
import type { Allowance } from "../evidence.ts";
import { callModes, type CallMode } from "../site.ts";
import type { Asked } from "../requests.ts";
import type { Held, World } from "../world.ts";
import { anyHeld, rpc, rpcHeaders, type Operation } from "./operation.ts";

const post = { method: "POST", headers: rpcHeaders, body: rpc } as const;

/** What a service says to a call may hold what it was sent. */
function saidBy({ site }: Held): readonly Allowance[] {
  return [{ rule: "what a service answers to a call", owner: site.id }];
}

/** The same call by address, by bearer and by key header. */
export async function call(world: World, dice: Dice, held: Held, more: Asked = {}): Promise<void> {
  const { secretUrl, apiKey, mcpUrl } = held.credential;
  const asked: Asked = { ...post, relayed: saidBy(held), ...more };
  const headers = { ...rpcHeaders, ...more.headers };
  const form = dice.below(3);
  if (form === 0) await world.ask("call by secret URL", secretUrl, { ...asked, headers });
  else {
    const key: Record<string, string> =
      form === 1 ? { authorization: `Bearer ${apiKey}` } : { "x-api-key": apiKey };
    await world.ask("call by API key", mcpUrl, { ...asked, headers: { ...headers, ...key } });
  }
}

/** A call that the service answers in this way. That it asks for more access is kept for OAuth grants only. */
export async function callWith(world: World, dice: Dice, mode: CallMode): Promise<void> {
  const held = anyHeld(world, dice, ({ kind }) => mode !== "more access" || kind === "oauth");
  if (held === undefined) return;
  held.site.calls.push(mode);
  await call(world, dice, held, {
    headers: {
      "mcp-session-id": "s1",
      cookie: `bindify=${held.credential.apiKey}`,
      "x-forwarded-for": "192.0.2.1",
    },
  });
}

export const callService: Operation = {
  name: "call a service that repeats what it is sent",
  weight: 10,
  run: async (world, dice) => {
    const mode = dice.chance(0.3) ? "echo" : dice.pick(callModes.filter((one) => one !== "hang"));
    await callWith(world, dice, mode);
  },
};

export const callSilentService: Operation = {
  name: "call a service that does not answer",
  weight: 1,
  run: async (world, dice) => await callWith(world, dice, "hang"),
};

export const callOtherLegs: Operation = {
  name: "call the older transport's addresses",
  weight: 2,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    if (held === undefined) return;
    const { secretUrl } = held.credential;
    const relayed = saidBy(held);
    await world.ask("GET sse", `${secretUrl}/sse`, { relayed });
    await world.ask("POST messages", `${secretUrl}/messages?e=AAAA`, { ...post, relayed });
    await world.ask("GET by secret URL", secretUrl, { relayed });
    await world.ask("DELETE by secret URL", secretUrl, { method: "DELETE", relayed });
  },
};

/** A credential with another second half: found, and refused. */
function wrongHalf(secretUrl: string, dice: Dice): string {
  return `${secretUrl.slice(0, -40)}${dice.text(39)}A`;
}

export const refusedCalls: Operation = {
  name: "calls that are refused",
  weight: 4,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    if (held === undefined) return;
    const { secretUrl, apiKey, mcpUrl } = held.credential;
    const bearer = (key: string) => ({ ...post, headers: { ...rpcHeaders, authorization: `Bearer ${key}` } });
    await world.ask("a wrong second half", wrongHalf(secretUrl, dice), post);
    await world.ask("another service", secretUrl.replace("/mcp/custom/", "/mcp/github/"), post);
    await world.ask("a mistyped key", mcpUrl, bearer(`${apiKey}x`));
    await world.ask("a key of the other environment", mcpUrl, bearer(apiKey.replace("_test_", "_live_")));
    await world.ask("a foreign origin", secretUrl, {
      ...post,
      headers: { ...rpcHeaders, origin: "https://evil.example" },
    });
    await world.ask("another method", secretUrl, { method: "PUT", body: apiKey });
    await world.ask("headers too large", secretUrl, {
      ...post,
      headers: { ...rpcHeaders, "mcp-x": "x".repeat(40_000) },
    });
  },
};

export const madeUpPaths: Operation = {
  name: "addresses that clients make up",
  weight: 1,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    if (held === undefined) return;
    const { secretUrl, apiKey } = held.credential;
    const { pathname } = new URL(secretUrl);
    const text = pathname.slice(pathname.lastIndexOf("/") + 1);
    for (const path of [
      `/.well-known/oauth-protected-resource${pathname}`,
      `${pathname}/.well-known/openid-configuration`,
      `${pathname}//x`,
      `${pathname}%2f..%2f`,
      `/${text}`,
      `/mcp/${text}`,
      `/mcp/custom?key=${apiKey}`,
      `/MCP/custom/${text}`,
      `/oauth/callback?code=${text}`,
      `/api/connections/${text}`,
      `/api/connections?cursor=${text}`,
      `/api/services/${text}`,
      `/healthz/${text}`,
    ]) {
      await world.ask("a made-up address", world.instance.url + path);
      await world.ask("a made-up address", world.instance.url + path, post);
      if (dice.chance(0.3)) await world.api("a made-up address", held.user, path);
    }
  },
};
