import { describe, expect, inject, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { begin } from "../support/sign-in.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

async function stateFor(return_to?: string): Promise<string> {
  const provider = await createProvider(hostile);
  const person = await createPerson(instance);
  const wanted = { service: "custom", url: provider.mcpUrl };
  const { state } = await begin(person, return_to === undefined ? wanted : { ...wanted, return_to });
  return state;
}

const callback = async (query: string): Promise<Response> => await instance.fetch(`/oauth/callback?${query}`);

describe("where providers send people back to", () => {
  it("hands the answer to the page in the fragment, and nothing to caches and referrers", async () => {
    const state = await stateFor();
    const answer = await callback(`state=${state}&code=a%26b&iss=https%3A%2F%2Fas.example&extra=1`);
    expect(answer.status).toBe(303);
    const [page, fragment] = (answer.headers.get("location") ?? "").split("/#/callback?");
    expect(page).toBe(instance.env.ADMIN_URL);
    expect(Object.fromEntries(new URLSearchParams(fragment))).toEqual({
      state,
      code: "a&b",
      iss: "https://as.example",
    });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(await answer.text()).toBe("");
  });

  it("hands it to a program in the query", async () => {
    const state = await stateFor("http://127.0.0.1:9999/back");
    const location = (await callback(`state=${state}&error=access_denied`)).headers.get("location");
    expect(location).toBe(`http://127.0.0.1:9999/back?state=${state}&error=access_denied`);
  });

  it("T36 T30 a state that nobody knows goes to the page, never to an address from the query", async () => {
    for (const query of [
      "state=unknown&code=x",
      "state=unknown&code=x&return_to=https://evil.example",
      `state=${"x".repeat(5000)}&code=x`,
      "state=a%0d%0aset-cookie:b&code=%0d%0alocation:%20https://evil.example",
    ]) {
      const answer = await callback(query);
      expect(answer.status).toBe(303);
      expect(answer.headers.get("location")?.startsWith(`${instance.env.ADMIN_URL}/#/callback?`)).toBe(true);
      expect(answer.headers.get("location")).not.toMatch(/[\r\n]/);
      expect(answer.headers.get("set-cookie")).toBeNull();
    }
  });

  it("T43 a parameter that comes twice is refused", async () => {
    const state = await stateFor();
    for (const name of ["state", "code", "iss", "error", "error_description"]) {
      const query = new URLSearchParams({ state, code: "code" });
      query.delete(name);
      query.append(name, name === "state" ? state : "one");
      query.append(name, "two");
      await problemOf(await callback(query.toString()), "sign_in_unknown");
    }
    expect((await callback(`state=${state}&code=x&extra=1&extra=2`)).status).toBe(303);
  });

  it("T30 without a state is refused", async () => {
    await problemOf(await callback("code=x"), "sign_in_unknown");
  });

  it("does not end the flow: whoever opens the link cannot use it up", async () => {
    const state = await stateFor("http://127.0.0.1:9999/back");
    for (let time = 0; time < 2; time += 1) {
      const location = (await callback(`state=${state}&code=x`)).headers.get("location");
      expect(location?.startsWith("http://127.0.0.1:9999/back?")).toBe(true);
    }
  });
});

describe("our client document", () => {
  it("names itself and the one redirect address", async () => {
    const answer = await instance.fetch("/oauth/client.json");
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await answer.json()).toEqual({
      client_id: `${instance.env.PUBLIC_URL}/oauth/client.json`,
      client_name: "Bindify",
      client_uri: instance.env.PUBLIC_URL,
      redirect_uris: [`${instance.env.PUBLIC_URL}/oauth/callback`],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "web",
    });
  });

  it("T25 other paths there are a plain 404", async () => {
    for (const path of ["/oauth", "/oauth/", "/oauth/token", "/oauth/register", "/oauth/authorize"]) {
      await problemOf(await instance.fetch(path), "not_found");
    }
  });
});
