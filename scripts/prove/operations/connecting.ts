import { z } from "zod";
import type { Dice } from "../dice.ts";
import type { Allowance } from "../evidence.ts";
import type { Site } from "../site.ts";
import type { Answered } from "../requests.ts";
import { people, type Held, type Storage, type World } from "../world.ts";
import { Unproven, type Operation } from "./operation.ts";

const madeSchema = z.object({
  connection: z.object({ id: z.string() }),
  credential: z.object({ secret_url: z.string(), api_key: z.string(), mcp_url: z.string() }).nullable(),
});
const begunSchema = z.object({ authorization_url: z.string(), state: z.string() });

/** Either deployment: one has the newer master key active, the other still the older. */
function originOf({ instance }: World, dice: Dice): string {
  return dice.chance(0.7) ? instance.url : instance.twinUrl;
}

const storages: readonly Storage[] = ["zero_knowledge", "managed"];

/**
 * Makes a request whose answer may show a new credential, and registers it before the answer is judged. What is shown
 * is allowed for the credential that came to be here, and for no other.
 */
export async function makeCredential(
  world: World,
  place: string,
  user: string,
  url: string,
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly answered: Answered; readonly made: z.output<typeof madeSchema> | undefined }> {
  const allowed: Allowance[] = [];
  const answered = await world.api(place, user, url, { method: "POST", json, headers, allowed });
  if (answered.status !== 201) return { answered, made: undefined };
  const made = madeSchema.parse(JSON.parse(answered.text));
  const { credential } = made;
  if (credential !== null) {
    const { secret_url: secretUrl, api_key: apiKey, mcp_url: mcpUrl } = credential;
    const owner = world.noteCredential({ secretUrl, apiKey, mcpUrl });
    allowed.push({ rule: "the answer that makes a credential", owner });
  }
  return { answered, made };
}

export function keyRequest(site: Site, more: object): object {
  const header = site.header === undefined ? {} : { header: { name: site.header, prefix: "" } };
  return { service: "custom", url: site.url, fields: { api_key: site.key }, ...header, ...more };
}

export const connectByKey: Operation = {
  name: "connect with a key",
  weight: 3,
  run: async (world, dice) => {
    world.connections.push(await connectAs(dice.pick(people), world, dice));
  },
};

/** A connection by key of its own, which is nobody else's to use yet. `headers`: of the request. */
export async function connectAs(
  user: string,
  world: World,
  dice: Dice,
  headers: Readonly<Record<string, string>> = {},
): Promise<Held> {
  const site = world.sites.create(dice);
  const storage = dice.pick(storages);
  const url = `${originOf(world, dice)}/api/connections`;
  const json = keyRequest(site, { storage });
  const result = await makeCredential(world, "POST connections", user, url, json, headers);
  return heldOf(result, { site, user, storage, kind: "key" });
}

/** Throws where a connection was expected to come to be. */
function heldOf(
  { answered, made }: Awaited<ReturnType<typeof makeCredential>>,
  facts: Pick<Held, "site" | "user" | "storage" | "kind">,
): Held {
  const shown = made?.credential;
  if (made === undefined || shown === null || shown === undefined)
    throw new Unproven(`a connection was not made: ${answered.status} ${answered.text.slice(0, 200)}`);
  const { secret_url: secretUrl, api_key: apiKey, mcp_url: mcpUrl } = shown;
  return { ...facts, id: made.connection.id, credential: { secretUrl, apiKey, mcpUrl }, ended: false };
}

export const connectWithWrongKey: Operation = {
  name: "connect with a key that the service refuses",
  weight: 2,
  run: async (world, dice) => {
    const site = world.sites.create(dice);
    // It reaches the service that it was meant for, and goes no further.
    const wrong = world.secrets.make("service API key", site.id);
    const json = { ...keyRequest(site, { storage: dice.pick(storages) }), fields: { api_key: wrong } };
    await world.api("POST connections", dice.pick(people), "/api/connections", { method: "POST", json });
  },
};

interface Begun {
  readonly state: string;
  readonly code: string;
  readonly iss: string;
}

/** Up to the provider's answer: what the person's browser is sent back with. Undefined where it may not begin. */
export async function begin(
  world: World,
  dice: Dice,
  { site, user, wanted, origin }: { site: Site; user: string; wanted: object; origin: string },
): Promise<Begun | undefined> {
  const allowed: Allowance[] = [];
  const own = dice.chance(0.4) ? { client: site.client } : {};
  const answered = await world.api(
    "POST connections/authorize",
    user,
    `${origin}/api/connections/authorize`,
    {
      method: "POST",
      json: { ...wanted, ...own },
      allowed,
    },
  );
  if (answered.status !== 200) return undefined;
  const { state } = begunSchema.parse(JSON.parse(answered.text));
  world.secrets.note("authorization state", site.id, state);
  allowed.push({ rule: "the answer that begins a sign-in", owner: site.id });
  // While it is on its way.
  await world.storage.collectTable("flows");
  return { state, code: world.secrets.make("authorization code", site.id), iss: site.issuer };
}

/** Back through the redirect address, as the browser comes. */
async function visitCallback(world: World, site: Site, begun: Begun): Promise<void> {
  const url = new URL("/oauth/callback", world.instance.url);
  for (const [name, value] of Object.entries(begun)) url.searchParams.set(name, value);
  const allowed = [{ rule: "the redirect to the page after a sign-in", owner: site.id }] as const;
  await world.ask("GET oauth/callback", url.href, { allowed });
}

export const signIn: Operation = {
  name: "sign in to a service",
  weight: 3,
  run: async (world, dice) => {
    world.connections.push(await signInAs(dice.pick(people), world, dice));
  },
};

/** A connection by sign-in of its own, which is nobody else's to use yet. */
export async function signInAs(user: string, world: World, dice: Dice): Promise<Held> {
  const site = world.sites.create(dice);
  const storage = dice.pick(storages);
  const origin = originOf(world, dice);
  if (dice.chance(0.2)) site.grants.push("tokens in scope");
  const wanted = { service: "custom", url: site.url, storage };
  const begun = await begin(world, dice, { site, user, wanted, origin });
  if (begun === undefined) throw new Unproven("a sign-in did not begin");
  await visitCallback(world, site, begun);
  const url = `${origin}/api/connections/complete`;
  const result = await makeCredential(world, "POST connections/complete", user, url, begun);
  return heldOf(result, { site, user, storage, kind: "oauth" });
}

export const failToSignIn: Operation = {
  name: "sign in and fail",
  weight: 3,
  run: async (world, dice) => {
    const site = world.sites.create(dice);
    const user = dice.pick(people);
    const started = async (): Promise<Begun> => {
      const wanted = { service: "custom", url: site.url };
      const begun = await begin(world, dice, { site, user, wanted, origin: world.instance.url });
      if (begun === undefined) throw new Unproven("a sign-in did not begin");
      return begun;
    };
    const complete = async (json: object, by = user, allowed: readonly Allowance[] = []): Promise<void> => {
      const asked = { method: "POST", json, allowed };
      await world.api("POST connections/complete", by, "/api/connections/complete", asked);
    };
    const { state, iss } = await started();
    await complete({ state, iss, error: "odd", error_description: `No: ${state} ` }, user, [
      { rule: "the words of a provider's refusal", owner: site.id },
    ]);
    const begun = await started();
    const other = people.find((one) => one !== user);
    const attempts: readonly (() => Promise<void>)[] = [
      async () => await complete({ ...begun, iss: `${iss}/` }),
      async () => await complete(begun, other),
      async () => await complete({ ...begun, code: begun.state, iss: begun.code, credential: begun.code }),
      async () => {
        site.grants.push(dice.pick(["html", "503", "invalid_grant", "odd error", "reset", "cut"]));
        await complete(begun);
      },
    ];
    await dice.pick(attempts)();
  },
};

export const oddCallback: Operation = {
  name: "come back with bad parameters",
  weight: 2,
  run: async (world) => {
    const code = world.secrets.make("authorization code", "nobody");
    const state = world.secrets.make("authorization state", "nobody");
    for (const query of [
      `code=${code}`,
      `code=${code}&state=${state}&state=${state}`,
      `state=${state}&error=${code}&error=x`,
      `code=${code}&state=`,
    ]) {
      const url = `${world.instance.url}/oauth/callback`;
      await world.ask("GET oauth/callback", `${url}?${query}`);
      await world.ask("POST oauth/callback", url, { method: "POST", body: query });
    }
  },
};
