import { z } from "zod";
import { fromBase64Url, toBase64Url } from "../../../src/lib/bytes.ts";
import type { Dice } from "../dice.ts";
import type { Allowance } from "../evidence.ts";
import { people, type World } from "../world.ts";
import { connectAs, keyRequest, makeCredential } from "./connecting.ts";
import { anyHeld, rpc, rpcHeaders, Unproven, type Operation } from "./operation.ts";

const createdSchema = z.object({ token: z.object({ id: z.string() }), secret: z.string() });

interface ApiToken {
  readonly id: string;
  readonly text: string;
}

/** Both as it is written and the random bytes in it. */
function noteToken(world: World, owner: string, text: string): void {
  world.secrets.note("API token", owner, text);
  const bytes = fromBase64Url(text.slice("bnt_test_".length));
  if (bytes !== undefined) world.secrets.note("API token", owner, bytes);
}

export async function makeToken(
  world: World,
  dice: Dice,
  user: string,
  scope: "read" | "manage",
): Promise<ApiToken> {
  const allowed: Allowance[] = [];
  const headers: Record<string, string> = dice.chance(0.5) ? { "idempotency-key": dice.text(20) } : {};
  const json = {
    name: `Program ${dice.text(5)}`,
    scope,
    ...(dice.chance(0.3) ? { expires_in_days: 1 } : {}),
  };
  const asked = { method: "POST", json, headers };
  const answered = await world.api("POST tokens", user, "/api/tokens", { ...asked, allowed });
  if (answered.status !== 201) throw new Unproven(`an API token was not made: ${answered.status}`);
  const { token, secret } = createdSchema.parse(JSON.parse(answered.text));
  noteToken(world, token.id, secret);
  allowed.push({ rule: "the answer that makes an API token", owner: token.id });
  // Before anybody revokes it.
  await world.storage.collectTable("tokens");
  // The repeat is told that it was shown.
  if ("idempotency-key" in headers) await world.api("POST tokens", user, "/api/tokens", asked);
  return { id: token.id, text: secret };
}

const readPaths = [
  "/api/connections",
  "/api/services",
  "/api/events?limit=3",
  "/api/tokens",
  "/api/billing",
] as const;

export const programs: Operation = {
  name: "API tokens: make, use, revoke",
  weight: 3,
  run: async (world, dice) => {
    const user = dice.pick(people);
    const scope = dice.pick(["read", "manage", "manage"] as const);
    const { id, text } = await makeToken(world, dice, user, scope);
    const headers = { authorization: `Bearer ${text}` };
    const records = [{ rule: "the record of a person", owner: user }] as const;
    await world.api("GET me by a program", user, "/api/me", { headers, allowed: records });
    for (const path of readPaths) await world.api("GET by a program", user, path, { headers });
    if (scope === "manage") world.connections.push(await connectAs(user, world, dice, headers));
    else {
      const json = { label: "No" };
      const path = `/api/connections/${anyHeld(world, dice)?.id ?? "con_0"}`;
      await world.api("PATCH by a reader", user, path, { method: "PATCH", json, headers });
    }
    const more = { method: "POST", json: { name: "Another", scope: "manage" }, headers };
    await world.api("POST tokens by a program", user, "/api/tokens", more);
    await world.api("GET tokens", user, "/api/tokens");
    const own: Record<string, string> = scope === "manage" && dice.chance(0.5) ? headers : {};
    await world.api("DELETE token", user, `/api/tokens/${id}`, { method: "DELETE", headers: own });
    await world.api("GET by a revoked token", user, "/api/connections", { headers });
  },
};

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

export const wrongTokens: Operation = {
  name: "API tokens that are wrong, or in a wrong place",
  weight: 2,
  run: async (world, dice) => {
    const user = dice.pick(people);
    const { id, text } = await makeToken(world, dice, user, "manage");
    const guess = `bnt_test_${toBase64Url(new TextEncoder().encode(dice.text(32)))}`;
    noteToken(world, "nobody", guess);
    for (const token of [guess, `${text}x`, text.replace("_test_", "_live_"), text.slice(0, -9)])
      await world.api("a wrong API token", user, "/api/connections", bearer(token));
    for (const path of [
      `/api/me?token=${text}`,
      `/api/tokens/${text}`,
      `/api/connections/${text}`,
      `/api/events?cursor=${text}`,
      `/api/events?connection=${text}`,
      `/api/events/verify?expect=1.${text}`,
      `/${text}`,
    ]) {
      const allowed = [{ rule: "the record of a person", owner: user }] as const;
      await world.api(
        "an API token in the address",
        user,
        path,
        path.startsWith("/api/me") ? { allowed } : {},
      );
      await world.api("an API token in the address", user, path, { method: "DELETE" });
    }
    for (const json of [{ name: text, scope: text }, { [text]: 1, name: "x", scope: "read" }, text]) {
      await world.api("an API token in the body", user, "/api/tokens", { method: "POST", json });
      await world.api("an API token in the body", user, "/api/account", { method: "DELETE", json });
    }
    const held = anyHeld(world, dice);
    const headers = { ...rpcHeaders, authorization: `Bearer ${text}` };
    const url = held?.credential.mcpUrl ?? `${world.instance.url}/mcp/custom`;
    await world.ask("a call with an API token", url, { method: "POST", headers, body: rpc });
    await world.api("DELETE token", user, `/api/tokens/${id}`, { method: "DELETE" });
  },
};

export const repeatRequests: Operation = {
  name: "requests that are repeated",
  weight: 3,
  run: async (world, dice) => {
    const user = dice.pick(people);
    const headers = { "idempotency-key": dice.chance(0.5) ? dice.text(24) : `"${dice.text(24)}"` };
    const site = world.sites.create(dice);
    const json = keyRequest(site, { storage: dice.pick(["managed", "zero_knowledge"]) });
    const send = async (place: string, body: object) =>
      await makeCredential(world, place, user, "/api/connections", body, headers);
    if (dice.chance(0.3)) await send("a repeat", { ...json, url: "nowhere" });
    await Promise.all([send("POST connections", json), send("POST connections", json)]);
    await send("a repeat", json);
    await send("a repeat with another body", { ...json, storage: "managed", label: "Other" });
    await world.api("a repeat elsewhere", user, "/api/tokens", {
      method: "POST",
      json: { name: "CI", scope: "read" },
      headers,
    });
    const odd = { "idempotency-key": `${site.key} é` };
    await world.api("an odd Idempotency-Key", user, "/api/connections", {
      method: "POST",
      json,
      headers: odd,
    });
  },
};
