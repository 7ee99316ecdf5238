import { tokenModes, type TokenMode } from "../site.ts";
import type { Dice } from "../dice.ts";
import type { Held, World } from "../world.ts";
import { call } from "./calling.ts";
import { begin, keyRequest, makeCredential, signIn } from "./connecting.ts";
import { anyHeld, type Operation } from "./operation.ts";

/** What the holder shows to keep the address: the right one, none, or another's. */
function presentedBy(held: Held, world: World, dice: Dice): object {
  const other = dice.pick(world.connections).credential;
  const { secretUrl, apiKey } = held.credential;
  const credential = dice.pick([secretUrl, apiKey, undefined, other.apiKey]);
  return credential === undefined ? {} : { credential };
}

/** The newest credential is the one that is used from now on. */
function replace(held: Held, made: Awaited<ReturnType<typeof makeCredential>>["made"]): void {
  const shown = made?.credential;
  if (made === undefined) return;
  held.ended = false;
  if (shown === null || shown === undefined) return;
  held.credential = { secretUrl: shown.secret_url, apiKey: shown.api_key, mcpUrl: shown.mcp_url };
}

export const regenerate: Operation = {
  name: "make a new credential",
  weight: 2,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    if (held === undefined) return;
    const url = `/api/connections/${held.id}/credential`;
    const { made } = await makeCredential(
      world,
      "POST credential",
      held.user,
      url,
      presentedBy(held, world, dice),
    );
    const old = held.credential;
    replace(held, made);
    await call(world, dice, { ...held, credential: old });
  },
};

export const reauthorize: Operation = {
  name: "sign in again, or give a new key",
  weight: 2,
  run: async (world, dice) => {
    if (world.connections.length > 0) await connectAgain(dice.pick(world.connections), world, dice);
  },
};

/** In use or disconnected: then it is restored. */
export async function connectAgain(held: Held, world: World, dice: Dice): Promise<void> {
  const { site, user, storage } = held;
  const shown = presentedBy(held, world, dice);
  if (held.kind === "key") {
    const json = keyRequest(site, { storage, reauthorize: held.id, ...shown });
    replace(held, (await makeCredential(world, "POST connections", user, "/api/connections", json)).made);
    return;
  }
  const wanted = { reauthorize: held.id };
  const begun = await begin(world, dice, { site, user, wanted, origin: world.instance.url });
  // Deleted for good meanwhile.
  if (begun === undefined) return;
  const json = { ...begun, ...shown };
  const url = "/api/connections/complete";
  replace(held, (await makeCredential(world, "POST connections/complete", user, url, json)).made);
}

/** A renewal that the token endpoint answers in this way. */
export async function refreshWith(world: World, dice: Dice, mode: TokenMode): Promise<void> {
  const held = anyHeld(world, dice, ({ kind }) => kind === "oauth");
  if (held === undefined) return;
  // The service takes the token no more, so the next call renews it.
  held.site.tokens.clear();
  held.site.grants.push(mode);
  await world.storage.change(`UPDATE connections SET retry_at = 0 WHERE id = '${held.id}'`);
  await Promise.all([call(world, dice, held), call(world, dice, held)]);
}

export const refresh: Operation = {
  name: "renew a token, with faults",
  weight: 6,
  run: async (world, dice) => {
    await refreshWith(world, dice, dice.chance(0.5) ? "tokens" : dice.pick(tokenModes));
  },
};

export async function disconnectWith(
  world: World,
  dice: Dice,
  held: Held,
  shown: string | undefined,
  purge = dice.chance(0.2) ? "?purge=now" : "",
): Promise<void> {
  const headers = shown === undefined ? {} : { "bindify-credential": shown };
  held.ended = true;
  const path = `/api/connections/${held.id}`;
  await world.api("DELETE connection", held.user, path + purge, { method: "DELETE", headers });
  await call(world, dice, held);
  await call(world, dice, held);
  await world.api("GET connection", held.user, path);
  await world.api("DELETE connection", held.user, path, { method: "DELETE", headers });
}

export const disconnect: Operation = {
  name: "disconnect, and use the dead credential",
  weight: 2,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    if (held === undefined) return;
    const { secretUrl, apiKey } = held.credential;
    const other = dice.pick(world.connections).credential.apiKey;
    await disconnectWith(world, dice, held, dice.pick([secretUrl, apiKey, undefined, other]));
  },
};

export const revoke: Operation = {
  name: "disconnect a sign-in with its credential",
  weight: 1,
  run: async (world, dice) => {
    await signIn.run(world, dice);
    const held = world.connections.findLast(({ kind, ended }) => kind === "oauth" && !ended);
    if (held !== undefined) await disconnectWith(world, dice, held, held.credential.secretUrl);
  },
};

export const read: Operation = {
  name: "read and rename",
  weight: 3,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    const user = held?.user ?? "ada";
    await world.api("GET me", user, "/api/me", {
      allowed: [{ rule: "the record of a person", owner: user }],
    });
    await world.api("GET connections", user, "/api/connections");
    await world.api("GET services", user, "/api/services");
    await world.api("GET config", user, "/api/config");
    if (held === undefined) return;
    await world.api("GET connection", user, `/api/connections/${held.id}`);
    await world.api("GET another's connection", "dora", `/api/connections/${held.id}`);
    const json = { label: `Renamed ${dice.text(6)}` };
    await world.api("PATCH connection", user, `/api/connections/${held.id}`, { method: "PATCH", json });
  },
};

export const damage: Operation = {
  name: "use a row that somebody edited",
  weight: 1,
  run: async (world, dice) => {
    const held = anyHeld(world, dice, ({ kind }) => kind === "key");
    if (held === undefined) return;
    const edit = dice.pick(["blob = 'AAAA'", "upstream_url = 'https://evil.example/'", "verifier = lookup"]);
    await world.storage.change(`UPDATE connections SET ${edit} WHERE id = '${held.id}'`);
    held.ended = true;
    await call(world, dice, held);
  },
};
