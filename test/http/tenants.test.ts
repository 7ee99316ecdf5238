import { describe, expect, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const instance = createInstance();

describe("another person's connection", () => {
  it("T82 is 404 on every route, exactly like one that never was, and stays as it is", async () => {
    const [owner, stranger] = [await createPerson(instance), await createPerson(instance)];
    const service = upstream();
    const { id, secretPath } = await owner.connect({ url: service.url, label: "mine" });
    const never = `con_${"0".repeat(32)}`;
    for (const [method, body] of [["GET"], ["PATCH", { label: "theirs" }], ["DELETE"]] as const) {
      const [theirs, nothing] = [
        await stranger.call(method, `/api/connections/${id}`, body),
        await stranger.call(method, `/api/connections/${never}`, body),
      ];
      expect(await problemOf(theirs, "unknown_connection")).toEqual(
        await problemOf(nothing, "unknown_connection"),
      );
    }
    const wanted = { service: "custom", url: service.url, fields: { api_key: "good-key" } };
    for (const [path, body] of [
      [(other: string) => `/api/connections/${other}/credential`, () => ({})],
      [() => "/api/connections", (other: string) => ({ ...wanted, reauthorize: other })],
      [() => "/api/connections/authorize", (other: string) => ({ reauthorize: other })],
    ] as const) {
      const [theirs, nothing] = [
        await stranger.call("POST", path(id), body(id)),
        await stranger.call("POST", path(never), body(never)),
      ];
      expect(await problemOf(theirs, "unknown_connection")).toEqual(
        await problemOf(nothing, "unknown_connection"),
      );
    }
    expect(await (await owner.call("GET", `/api/connections/${id}`)).json()).toMatchObject({
      label: "mine",
      status: "active",
    });
    expect(await (await stranger.call("GET", "/api/connections")).json()).toEqual({
      connections: [],
      next_cursor: null,
    });
    expect((await instance.fetch(secretPath, { method: "DELETE" })).status).toBe(200);
  });

  it.each(["con_'; DROP TABLE connections; --", "%00", "..%2f..", "x".repeat(5000), "*", "con_"])(
    "an id like %s is 404",
    async (id) => {
      const person = await createPerson(instance);
      for (const method of ["GET", "DELETE"]) {
        await problemOf(
          await person.call(method, `/api/connections/${encodeURIComponent(id)}`),
          "unknown_connection",
        );
      }
    },
  );
});
