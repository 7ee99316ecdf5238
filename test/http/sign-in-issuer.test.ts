import { describe, expect, inject, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { captureConsole } from "../support/capture.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider, type ProviderOptions } from "../support/provider.ts";
import { begin, finish, signedInBy } from "../support/sign-in.ts";
import { dump } from "../support/storage.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

async function begun(options?: ProviderOptions) {
  const provider = await createProvider(hostile, options);
  const person = await createPerson(instance);
  return { provider, person, flow: await begin(person, { service: "custom", url: provider.mcpUrl }) };
}

const silent = { server: { authorization_response_iss_parameter_supported: false } };

describe("the issuer in the provider's answer (RFC 9207)", () => {
  const wrong: readonly (readonly [string, (issuer: string) => string])[] = [
    ["another", () => "https://evil.example"],
    ["with a slash more", (issuer) => `${issuer}/`],
    ["in another case", (issuer) => issuer.toUpperCase()],
    ["on another port", (issuer) => issuer.replace(/:\d+/, ":1")],
    ["shorter", (issuer) => issuer.slice(0, -1)],
    ["percent-encoded", (issuer) => issuer.replace("-", "%2d")],
    ["empty", () => ""],
  ];
  for (const [how, spell] of wrong) {
    it(`T33 ${how}: no token request`, async () => {
      for (const options of [{}, silent]) {
        const { provider, person, flow } = await begun(options);
        const answer = { state: flow.state, code: "code", iss: spell(provider.issuer) };
        await problemOf(await finish(person, answer), "sign_in_mismatch");
        expect(await provider.requests("/token")).toHaveLength(0);
      }
    });
  }

  it("T33 missing although advertised: no token request", async () => {
    const { provider, person, flow } = await begun();
    await problemOf(await finish(person, { state: flow.state, code: "code" }), "sign_in_mismatch");
    expect(await provider.requests("/token")).toHaveLength(0);
  });

  it("missing where it is not advertised: goes on", async () => {
    const { person, flow } = await begun(silent);
    await signedInBy(await finish(person, { state: flow.state, code: "code" }));
  });
});

describe("an error from the provider", () => {
  it("T34 of somebody else is neither shown nor logged nor stored", async () => {
    const { person, flow } = await begun();
    const console = captureConsole();
    const marked = "MARKED-TEXT-OF-AN-ATTACKER";
    const answer = await finish(person, {
      state: flow.state,
      error: "access_denied",
      error_description: `${marked}: call 0900-1234`,
      iss: "https://evil.example",
    });
    const problem = await problemOf(answer, "sign_in_mismatch");
    console.restore();
    expect(JSON.stringify(problem)).not.toContain(marked);
    expect(console.lines.join()).not.toContain(marked);
    expect(JSON.stringify(await dump(instance.env))).not.toContain(marked);
  });

  for (const [error, sentence] of [
    ["access_denied", /^You did not allow the access/],
    ["invalid_scope", /does not grant the access/],
    ["unauthorized_client", /approved clients only/],
    ["temporarily_unavailable", /busy/],
    ["server_error", /problem of its own/],
  ] as const) {
    it(`T34 ${error} reaches the person as a sentence`, async () => {
      const { provider, person, flow } = await begun();
      const answer = await finish(person, { state: flow.state, error, iss: provider.issuer });
      expect((await problemOf(answer, "sign_in_refused")).detail).toMatch(sentence);
      expect(await provider.requests("/token")).toHaveLength(0);
    });
  }

  it("T34 an unknown one shows what the provider says, as plain text", async () => {
    const { provider, person, flow } = await begun();
    const { state } = flow;
    const answer = { state, error: "odd_code", error_description: "Ask your admin.", iss: provider.issuer };
    const problem = await problemOf(await finish(person, answer), "sign_in_refused");
    expect(problem.detail).toBe("The service answered odd_code. It says: Ask your admin.");
  });

  it("T34 what is not plain ASCII is left out", async () => {
    for (const hidden of ["line\nbreak", "\u202eright to left", "x".repeat(201), "{page}\u0000"]) {
      const { provider, person, flow } = await begun();
      const answer = { state: flow.state, error: "<b>", error_description: hidden, iss: provider.issuer };
      const problem = await problemOf(await finish(person, answer), "sign_in_refused");
      expect(problem.detail).toBe("The service answered no code.");
    }
  });

  it("an answer with neither code nor error is refused", async () => {
    const { provider, person, flow } = await begun();
    const answer = await finish(person, { state: flow.state, iss: provider.issuer });
    await problemOf(answer, "sign_in_refused");
    expect(await provider.requests("/token")).toHaveLength(0);
  });
});
