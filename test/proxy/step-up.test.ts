import { expect, inject, it } from "vitest";
import { rpcCall } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, setRoutes } from "../support/provider.ts";
import { signIn } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

async function wantedAfter(scopeOf: (token: string) => string): Promise<string | null> {
  const provider = await createProvider(hostile);
  const person = await createPerson(instance);
  const made = await signIn(person, provider);
  const challenge = `Bearer error="insufficient_scope", scope="${scopeOf(provider.accessToken)}"`;
  await setRoutes(hostile, {
    [`POST ${new URL(provider.mcpUrl).pathname}`]: {
      status: 403,
      headers: { "www-authenticate": challenge },
      json: {},
    },
  });
  await (await instance.fetch(made.secretPath, rpcCall())).text();
  const answer = await person.call("GET", `/api/connections/${made.id}`);
  return (await answer.json<{ wanted_scope: string | null }>()).wanted_scope;
}

it("a call that is refused for more access leaves what to ask for", async () => {
  await expect.poll(() => wantedAfter(() => "admin")).toBe("admin");
});

it("T90 a scope that repeats the token is not kept: it would be stored and shown in clear", async () => {
  expect(await wantedAfter((token) => `admin ${token}`)).toBeNull();
});
