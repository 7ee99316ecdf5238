import type { Dice } from "../dice.ts";
import type { Site } from "../site.ts";
import { people } from "../world.ts";
import { anyHeld, type Operation } from "./operation.ts";

/** A secret where nobody expects one. */
function bodies(secret: string, { url, key }: Pick<Site, "url" | "key">): readonly string[] {
  const json = JSON.stringify;
  return [
    `{"service":"custom","fields":{"api_key":${json(secret)}`,
    json({ service: secret, fields: { [secret]: secret } }),
    json({ service: "custom", url, fields: { api_key: `${secret}\n` }, header: { name: `X ${secret}` } }),
    json({ service: "custom", url, fields: { api_key: "k", [secret]: "x" } }),
    json({ service: "custom", url, [secret]: true, fields: {} }),
    json({ service: "custom", url, fields: { api_key: secret.repeat(Math.ceil(4200 / secret.length)) } }),
    json({ service: "custom", url, fields: { api_key: 1, [secret]: 2 } }),
    json({ service: "custom", url, mode: secret, fields: { api_key: secret } }),
    json({ service: "custom", url, storage: secret, fields: { api_key: secret } }),
    json({ service: "custom", url: `https://x:${secret}@example.com`, fields: { api_key: secret } }),
    json({ service: "custom", url: secret, fields: { api_key: secret } }),
    json({ service: "custom", url, reauthorize: secret.slice(0, 59), fields: { api_key: key } }),
    json({ service: "custom", url, credential: secret, fields: { api_key: key } }),
    json([secret]),
    json(secret),
    secret,
  ];
}

const routes = [
  "/api/connections/authorize",
  "/api/connections/complete",
  "/api/connections/con_00000000000000000000000000000000/credential",
] as const;

export const malformed: Operation = {
  name: "bodies with a secret in odd places",
  weight: 1,
  run: async (world, dice: Dice) => {
    const site = world.sites.create(dice);
    const held = anyHeld(world, dice);
    const secret = dice.chance(0.7) || held === undefined ? site.key : held.credential.apiKey;
    const user = dice.pick(people);
    const headers = { "content-type": dice.chance(0.9) ? "application/json" : "text/plain" };
    for (const body of bodies(secret, site)) {
      await world.api("a malformed body", user, "/api/connections", { method: "POST", headers, body });
      const route = dice.pick(routes);
      if (dice.chance(0.3))
        await world.api("a malformed body", user, route, { method: "POST", headers, body });
    }
    if (held === undefined) return;
    const method = "PATCH";
    const body = dice.pick(bodies(secret, site));
    await world.api("a malformed body", held.user, `/api/connections/${held.id}`, { method, headers, body });
  },
};

export const strangers: Operation = {
  name: "sign-in tokens that are refused",
  weight: 1,
  run: async (world, dice) => {
    const user = dice.pick(people);
    await world.api("GET me", user, "/api/me", {
      allowed: [{ rule: "the record of a person", owner: user }],
    });
    const known = world.secrets.all.findLast(({ kind }) => kind === "identity token");
    const token = new TextDecoder().decode(known?.bytes);
    for (const authorization of [
      `Bearer ${token}x`,
      `Basic ${token}`,
      token,
      `Bearer ${token.slice(0, -9)}`,
    ]) {
      await world.ask("a refused sign-in token", `${world.instance.url}/api/connections`, {
        headers: { authorization },
      });
    }
    await world.ask("a token in the address", `${world.instance.url}/api/me?access_token=${token}`);
  },
};
