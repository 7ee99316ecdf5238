import { describe, expect, it } from "vitest";
import { refreshPolicy } from "../../src/grants/refresh-policy.ts";
import { second } from "../../src/lib/clock.ts";
import { answering, refusing, type TokenBody } from "../support/refresh/provider.ts";
import { catalogue, createWorld } from "../support/refresh/world.ts";

describe("permanent codes", () => {
  it.each([
    ["custom", refusing(400, "invalid_grant"), "reauth"],
    ["custom", refusing(401, "invalid_client"), "reauth"],
    ["custom", refusing(401, "unauthorized_client"), "later"],
    ["atlassian", refusing(403, "unauthorized_client"), "reauth"],
    ["github", answering(200, "error=bad_refresh_token&error_description=x"), "reauth"],
    ["github", answering(200, '{"error":"bad_refresh_token"}'), "reauth"],
    ["github", answering(200, '{"error":"incorrect_client_credentials"}'), "later"],
  ] as const)("T74 %s: its own code ends in %#", async (service, behaviour, kind) => {
    const world = await createWorld({ service });
    world.provider.next(behaviour);
    expect(await world.actor().refresh()).toMatchObject({ kind });
    expect((await world.row()).state).toBe(kind === "reauth" ? "reauth" : "live");
    expect((await world.row()).gen).toBe(1);
  });

  it("T74 invalid_grant after somebody else was successful: theirs is used", async () => {
    const world = await createWorld();
    const held = await world.present();
    await world.actor().refresh();
    world.provider.next(refusing(400, "invalid_grant"));
    expect(await world.actor().refresh(held)).toMatchObject({
      kind: "fresh",
      held: { binding: { generation: 2 } },
    });
    expect(world.provider.presented).toHaveLength(1);
  });

  it("T74 a late invalid_grant does not touch a row that went on", async () => {
    const world = await createWorld();
    const gate = Promise.withResolvers<void>();
    world.provider.next({ kind: "after", wait: gate.promise });
    const slow = world.actor();
    const refreshing = slow.refresh();
    await expect.poll(() => world.provider.presented.length).toBe(1);
    await world.age(200_000);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    gate.resolve();
    expect(
      await refreshing,
      "the model ended the grant on reuse, but that is not for this one to say",
    ).toEqual({
      kind: "busy",
    });
    expect(await world.row()).toMatchObject({ gen: 2, state: "live" });
  });
});

describe("quirks", () => {
  it("Slack nests the tokens", async () => {
    const world = await createWorld({ service: "slack" });
    world.provider.next({ kind: "shaped", shape: (tokens) => ({ ok: true, authed_user: tokens }) });
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    expect(world.provider.takes((await world.present()).grant.refresh_token)).toBe(true);
  });

  it.each([1800.5, "3600", 0.2])("expires_in as %j is stored, and so are the tokens", async (expires_in) => {
    const world = await createWorld();
    world.provider.next({ kind: "shaped", shape: (tokens) => ({ ...tokens, expires_in }) });
    await world.actor().refresh();
    const { gen, access_expires_at } = await world.row();
    expect(gen).toBe(2);
    expect((access_expires_at ?? 0) - Date.now()).toBeGreaterThan(Number(expires_in) * 1000 - 60_000);
  });

  it.each([1e300, 1_900_000_000.7])("a JWT that ends at %d is stored too", async (exp) => {
    const world = await createWorld();
    const jwt = `e30.${btoa(JSON.stringify({ exp }))}.x`.replaceAll("=", "");
    const shape = ({ refresh_token }: TokenBody) => ({
      access_token: jwt,
      token_type: "Bearer",
      refresh_token,
    });
    world.provider.next({ kind: "shaped", shape });
    await world.actor().refresh();
    const { gen, access_expires_at } = await world.row();
    expect(gen).toBe(2);
    expect(access_expires_at).toBe(exp > 1e12 ? null : 1_900_000_000_700);
  });

  it("without a new refresh token the old one stays (RFC 6749 §6)", async () => {
    const world = await createWorld();
    const { grant } = await world.present();
    world.provider.next({
      kind: "shaped",
      shape: ({ access_token, token_type }) => ({ access_token, token_type }),
    });
    await world.actor().refresh();
    expect((await world.present()).grant.refresh_token).toBe(grant.refresh_token);
  });

  it("Todoist's grace answer: its access token is used, the spent refresh token is not kept", async () => {
    const world = await createWorld({
      service: "todoist",
      grace: 60 * second,
      graceWithoutRefreshToken: true,
    });
    world.provider.next({ kind: "lost" });
    await world.actor().refresh();
    await world.age(2 * second);
    expect(await world.actor().refresh()).toMatchObject({ kind: "fresh" });
    expect((await world.present()).grant.refresh_token).toBeUndefined();
    expect(await world.row()).toMatchObject({ gen: 2, refreshable: 0 });
    await world.age(2 * 3_600_000);
    expect(await world.actor().refresh(), "and then only signing in helps").toEqual({ kind: "reauth" });
    expect(world.provider.presented).toHaveLength(2);
    expect(world.provider.alive).toBe(true);
  });

  it("the catalogue says what is permanent and what reuse does", () => {
    expect(refreshPolicy(catalogue.get("todoist"))).toMatchObject({ grace: 60_000, reuseRevokesApp: true });
    expect(refreshPolicy(catalogue.get("atlassian")).permanentErrors).toContain("unauthorized_client");
    expect(refreshPolicy(undefined)).toMatchObject({ grace: 0, reuseRevokesApp: false });
  });
});
