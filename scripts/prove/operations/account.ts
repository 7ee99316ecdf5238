import type { Dice } from "../dice.ts";
import { people, type Held, type World } from "../world.ts";
import { call } from "./calling.ts";
import { connectAgain, disconnectWith } from "./changing.ts";
import { connectAs, signInAs } from "./connecting.ts";
import { anyHeld, Unproven, type Operation } from "./operation.ts";
import { pay } from "./paying.ts";
import { makeToken } from "./programs.ts";

export const lookBack: Operation = {
  name: "health, activity and the audit log",
  weight: 3,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    const user = held?.user ?? dice.pick(people);
    for (const path of [
      "/api/events",
      "/api/events/export",
      "/api/events/verify",
      "/openapi.json",
      "/security",
    ])
      await world.api(`GET ${path.split("/").at(-1)}`, user, path);
    if (held === undefined) return;
    const { id, credential } = held;
    const secret = encodeURIComponent(dice.pick([credential.apiKey, credential.secretUrl]));
    for (const path of [
      `/api/connections/${id}/health`,
      `/api/connections/${id}/activity?days=7`,
      `/api/connections/${id}/activity?days=${secret}`,
      `/api/events?connection=${id}&type=connection_created&limit=2`,
      `/api/events?type=${secret}`,
      `/api/events?from=${secret}`,
      `/api/events/export?after=${secret}`,
      `/api/events/verify?cursor=${secret}`,
    ]) {
      await world.api("GET what happened", user, path);
    }
    await world.api("GET another's health", "dora", `/api/connections/${id}/health`);
    await world.api("GET another's activity", "dora", `/api/connections/${id}/activity`);
  },
};

async function connectEither(user: string, world: World, dice: Dice): Promise<Held> {
  return await (dice.chance(0.5) ? connectAs : signInAs)(user, world, dice);
}

export const restore: Operation = {
  name: "disconnect and connect again",
  weight: 2,
  run: async (world, dice) => {
    const held = await connectEither(dice.pick(people), world, dice);
    await call(world, dice, held);
    await disconnectWith(world, dice, held, dice.chance(0.5) ? held.credential.apiKey : undefined, "");
    await connectAgain(held, world, dice);
    await call(world, dice, held);
    world.connections.push(held);
  },
};

export const purgeAtOnce: Operation = {
  name: "delete a connection for good",
  weight: 2,
  run: async (world, dice) => {
    const held = await connectEither(dice.pick(people), world, dice);
    const shown = dice.chance(0.6) ? held.credential.secretUrl : undefined;
    if (dice.chance(0.5)) await disconnectWith(world, dice, held, undefined, "");
    await disconnectWith(world, dice, held, shown, "?purge=now");
    await connectAgain(held, world, dice);
    await call(world, dice, held);
  },
};

export const deleteAccount: Operation = {
  name: "delete an account, and go on using it",
  weight: 2,
  run: async (world, dice) => {
    const user = `cl${dice.text(8)}`;
    const held = await connectAs(user, world, dice);
    if (dice.chance(0.7)) await call(world, dice, await signInAs(user, world, dice));
    const { text } = await makeToken(world, dice, user, "manage");
    if (dice.chance(0.6)) await pay(world, dice, user);
    // A payment, a provider or both fail, and the schedule goes on with it.
    if (dice.chance(0.3)) world.stripe.modes.push("failing", "refused");
    const json = { confirm: "delete my account" };
    await world.api("DELETE account", user, "/api/account", { method: "DELETE", json: { confirm: text } });
    const headers = { authorization: `Bearer ${text}` };
    await world.api("DELETE account by a program", user, "/api/account", { method: "DELETE", json, headers });
    const { status } = await world.api("DELETE account", user, "/api/account", { method: "DELETE", json });
    if (status !== 200 && status !== 202) throw new Unproven(`an account was not deleted: ${status}`);
    await world.storage.collectTable("erasures");
    await call(world, dice, held);
    await world.api("GET by a revoked token", user, "/api/connections", { headers });
    // Signed in anew they are somebody new.
    await world.api("GET connections after all", user, "/api/connections");
    if (status === 202) {
      await world.storage.change("UPDATE erasures SET next_at = 0 WHERE next_at IS NOT NULL");
      await world.instance.runCron();
    }
  },
};
