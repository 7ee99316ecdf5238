import { describe, expect, inject, it } from "vitest";
import type { Routes } from "../support/canned.ts";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, setRoutes } from "../support/provider.ts";
import { tryToBegin } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

const asked = async (routes: (id: string) => Routes, path: string) => {
  const id = crypto.randomUUID();
  await setRoutes(hostile, routes(id));
  const person = await createPerson(instance);
  return await tryToBegin(person, { service: "custom", url: `${hostile}/${id}${path}` });
};
const server = (issuer: string) => ({
  json: {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${hostile}/register`,
    code_challenge_methods_supported: ["S256"],
  },
});
const register = { "POST /register": { status: 201, json: { client_id: "client" } } };
const protectedBy = (issuer: string, resource: string) => ({
  json: { resource, authorization_servers: [issuer] },
});

describe("where metadata is looked for", () => {
  it("where the challenge says, with its scope, in any of several challenges", async () => {
    const answer = await asked(
      (id) => ({
        ...register,
        [`POST /${id}/mcp`]: {
          status: 401,
          headers: {
            "www-authenticate": `Basic realm="a, b", Bearer error="x", scope="one two", resource_metadata="${hostile}/${id}/prm"`,
          },
        },
        [`GET /${id}/prm`]: protectedBy(`${hostile}/${id}`, `${hostile}/${id}/mcp`),
        [`GET /.well-known/oauth-authorization-server/${id}`]: server(`${hostile}/${id}`),
      }),
      "/mcp",
    );
    const { authorization_url: url } = await answer.json<{ authorization_url: string }>();
    expect(new URL(url).searchParams.get("scope")).toBe("one two");
  });

  it("below the path, where there is no challenge; and the server even where anybody may call", async () => {
    const answer = await asked(
      (id) => ({
        ...register,
        [`POST /${id}/mcp`]: { json: { jsonrpc: "2.0", id: 1, result: {} } },
        [`GET /.well-known/oauth-protected-resource/${id}/mcp`]: protectedBy(
          `${hostile}/${id}`,
          `${hostile}/${id}/mcp`,
        ),
        [`GET /.well-known/openid-configuration/${id}`]: server(`${hostile}/${id}`),
      }),
      "/mcp",
    );
    expect(answer.status).toBe(200);
  });

  it("OpenID Connect appended to the issuer's path", async () => {
    const answer = await asked(
      (id) => ({
        ...register,
        [`POST /${id}/mcp`]: { status: 401 },
        [`GET /.well-known/oauth-protected-resource/${id}/mcp`]: protectedBy(
          `${hostile}/${id}/tenant`,
          `${hostile}/${id}/mcp`,
        ),
        [`GET /${id}/tenant/.well-known/openid-configuration`]: server(`${hostile}/${id}/tenant`),
      }),
      "/mcp",
    );
    expect(answer.status).toBe(200);
  });

  it("a resource whose metadata names no server that has metadata is refused", async () => {
    const provider = await createProvider(hostile, { server: null });
    const answer = await tryToBegin(await createPerson(instance), {
      service: "custom",
      url: provider.mcpUrl,
    });
    const { detail } = await problemOf(answer, "sign_in_impossible");
    expect(detail).toMatch(/names no authorization server/);
  });
});
