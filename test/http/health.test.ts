import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { problemOf, rpcCall } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { signIn } from "../support/sign-in.ts";
import { edit } from "../support/storage.ts";
import { upstream } from "../support/upstream.ts";

const hostile = inject("hostileUrl");
const ledger = countedEnv();
const instance = createInstance({ ...ledger.env, USAGE_FLUSH_SECONDS: "1" });
const health = z.looseObject({ health: z.string(), sentence: z.string() });
const activity = z.object({
  days: z.array(
    z.object({ day: z.string(), requests: z.number(), errors: z.number(), refreshes: z.number() }),
  ),
});

type Days = z.infer<typeof activity>["days"];
/** Of all these days: a day may end between two calls. */
const total = (days: Days) => ({
  requests: days.reduce((sum, { requests }) => sum + requests, 0),
  errors: days.reduce((sum, { errors }) => sum + errors, 0),
  refreshes: days.reduce((sum, { refreshes }) => sum + refreshes, 0),
});

const today = () => new Date().toISOString().slice(0, 10);

const healthOf = async (person: Person, id: string) =>
  health.parse(await (await person.call("GET", `/api/connections/${id}/health`)).json());
const stateOf = async (person: Person, id: string) =>
  z
    .looseObject({ state: z.string() })
    .parse(await (await person.call("GET", `/api/connections/${id}`)).json()).state;

describe("GET /api/connections/:id/health", () => {
  it("is told from what calls showed; nothing is asked", async () => {
    const person = await createPerson(instance);
    const service = upstream();
    const { id, secretPath } = await person.connect({ url: service.url });
    await service.forget();
    expect(await healthOf(person, id)).toMatchObject({ health: "never_used", reauthorize_since: null });
    await instance.fetch(secretPath, rpcCall());
    const asked = (await service.requests()).length;
    expect(await healthOf(person, id)).toMatchObject({ health: "working" });
    expect((await service.requests()).length).toBe(asked);
  });

  it("a key that the service refuses, until it takes one again; written on change only", async () => {
    const person = await createPerson(instance);
    const { id, secretPath } = await person.connect({ url: upstream().url });
    const strict = createInstance(instance.env, (runtime) => ({
      ...runtime,
      outbound: async () => new Response("no", { status: 401 }),
    }));
    await strict.fetch(secretPath, rpcCall());
    const refused = await healthOf(person, id);
    expect(refused).toMatchObject({ health: "refused" });
    expect(refused.sentence).toMatch(/refused the stored key since \d+ \w+ \d{4}/);
    // Each of these waits until its counts are written: that is one write, and a signal another.
    ledger.take();
    await strict.fetch(secretPath, rpcCall());
    expect(ledger.take()).toBe("d1:first d1:run");
    await instance.fetch(secretPath, rpcCall());
    expect(ledger.take()).toMatch(/^d1:first d1:run d1:run/);
    expect(await healthOf(person, id)).toMatchObject({ health: "working", refused_since: null });
    ledger.take();
    await instance.fetch(secretPath, rpcCall());
    expect(ledger.take()).toBe("d1:first d1:run");
  });

  it.each([429, 500, 503])("an answer of %i clears no refusal: nobody looked at the key", async (status) => {
    const person = await createPerson(instance);
    const { id, secretPath } = await person.connect({ url: upstream().url });
    await edit(
      instance.env,
      "UPDATE connections SET refused_since = 5, unreachable_since = 5 WHERE id = ?1",
      id,
    );
    const busy = createInstance(instance.env, (runtime) => ({
      ...runtime,
      outbound: async () => new Response("busy", { status }),
    }));
    await busy.fetch(secretPath, rpcCall());
    const answer = await person.call("GET", `/api/connections/${id}/health`);
    expect(await answer.json()).toMatchObject({
      health: "refused",
      refused_since: "1970-01-01T00:00:00.005Z",
      unreachable_since: null,
    });
  });

  it("a sign-in that ends within a day is told with its time", async () => {
    const person = await createPerson(instance);
    const { id } = await signIn(person, await createProvider(hostile));
    const end = new Date(Date.now() + 40 * 60_000);
    const set = "UPDATE connections SET refreshable = 0, access_expires_at = ?2 WHERE id = ?1";
    await edit(instance.env, set, id, end.getTime());
    expect((await healthOf(person, id)).sentence).toContain(`${end.toISOString().slice(11, 16)} UTC`);
  });

  it("a service that does not answer, until it does", async () => {
    const person = await createPerson(instance);
    const service = upstream();
    const { id, secretPath } = await person.connect({ url: service.url });
    const away = createInstance(instance.env, (runtime) => ({
      ...runtime,
      outbound: async () => new Response("bad gateway", { status: 502 }),
    }));
    await away.fetch(secretPath, rpcCall());
    expect(await healthOf(person, id)).toMatchObject({ health: "provider_unreachable" });
    await instance.fetch(secretPath, rpcCall());
    expect(await healthOf(person, id)).toMatchObject({ health: "working", unreachable_since: null });
  });

  it("a sign-in that ended, or will soon, and what is suspended or disconnected", async () => {
    const person = await createPerson(instance);
    const { id } = await signIn(person, await createProvider(hostile));
    const set = async (assignment: string) =>
      await edit(instance.env, `UPDATE connections SET ${assignment} WHERE id = ?1`, id);
    const soon = Date.now() + 3 * 86_400_000;
    for (const [assignment, expected] of [
      [`refreshable = 0, access_expires_at = ${soon}`, "expires_soon"],
      ["access_expires_at = 5", "reauthorize"],
      ["refreshable = 1, state = 'reauth', reauth_since = 7", "reauthorize"],
      ["status = 'suspended'", "suspended"],
      ["status = 'disconnected', disconnected_at = 9", "disconnected"],
    ] as const) {
      await set(assignment);
      expect((await healthOf(person, id)).health).toBe(expected);
      expect(await stateOf(person, id)).toBe(expected);
    }
  });

  it("T82 of another person's connection is 404, and so is its activity", async () => {
    const [owner, stranger] = [await createPerson(instance), await createPerson(instance)];
    const { id } = await owner.connect({ url: upstream().url });
    for (const part of ["health", "activity"]) {
      await problemOf(await stranger.call("GET", `/api/connections/${id}/${part}`), "unknown_connection");
    }
  });
});

describe("GET /api/connections/:id/activity", () => {
  it("counts the later calls of a session too, although nobody calls after them", async () => {
    const person = await createPerson(instance);
    const { id, secretPath } = await person.connect({ url: upstream().url });
    for (let at = 0; at < 3; at++) await instance.fetch(secretPath, rpcCall());
    const answer = await person.call("GET", `/api/connections/${id}/activity?days=2`);
    const { days } = activity.parse(await answer.json());
    expect(total(days)).toMatchObject({ requests: 3 });
  });

  it("counts calls of a burst in one write, errors among them, and renewals", async () => {
    const person = await createPerson(instance);
    const { id, secretPath } = await person.connect({ url: upstream().url });
    ledger.take();
    await Promise.all(Array.from({ length: 8 }, async () => await instance.fetch(secretPath, rpcCall())));
    const failing = createInstance(instance.env, (runtime) => ({
      ...runtime,
      outbound: async () => new Response("no", { status: 500 }),
    }));
    const writes = ledger
      .take()
      .split(" ")
      .filter((operation) => operation === "d1:run");
    expect(writes.length).toBeLessThanOrEqual(9);
    await failing.fetch(secretPath, rpcCall());
    await edit(instance.env, "UPDATE connections SET refreshed_at = unixepoch() * 1000 WHERE id = ?1", id);
    const before = today();
    const { days } = activity.parse(
      await (await person.call("GET", `/api/connections/${id}/activity?days=7`)).json(),
    );
    expect(days).toHaveLength(7);
    expect(total(days.slice(-2))).toEqual({ requests: 9, errors: 1, refreshes: 1 });
    expect([before, today()]).toContain(days.at(-1)?.day);
    expect(days[0]).toMatchObject({ requests: 0, errors: 0, refreshes: 0 });
    for (const query of ["?days=0", "?days=91", "?days=x"]) {
      await problemOf(await person.call("GET", `/api/connections/${id}/activity${query}`), "invalid_request");
    }
  });
});
