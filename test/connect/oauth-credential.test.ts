import { describe, expect, inject, it } from "vitest";
import { type Canary, findLeaks, storageHaystacks, textCanary } from "../support/canary.ts";
import { rpcCall, withHeaders } from "../support/answers.ts";
import { captureConsole } from "../support/capture.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { begin, finish, goodAnswer, signedInBy, signIn } from "../support/sign-in.ts";
import { dump } from "../support/storage.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

describe("what a sign-in leaves at rest", () => {
  it("T44 T1 neither credential, tokens, verifier nor state, in any spelling, and nothing in the console", async () => {
    const console = captureConsole();
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const flow = await begin(person, { service: "custom", url: provider.mcpUrl });
    const before = await dump(instance.env);
    const made = await signIn(person, provider, { storage: "managed" });
    const held = await signedInBy(await finish(person, goodAnswer(flow, provider)));
    await instance.fetch(new URL(held.credential?.secret_url ?? "").pathname, rpcCall());
    const after = await dump(instance.env);
    console.restore();

    const sent = (await provider.requests("/token")).map(({ body }) => new URLSearchParams(body));
    const canaries: Canary[] = [
      textCanary("the access token", provider.accessToken),
      textCanary("the refresh token", provider.refreshToken),
      textCanary("the state", flow.state),
      textCanary("the code", `code-${provider.id}`),
      ...sent.map((form) => textCanary("a verifier", form.get("code_verifier") ?? "")),
      textCanary("the credential", held.credential?.secret_url.split("/").at(-1) ?? ""),
      { name: "the first half", bytes: made.halves.id },
      { name: "the second half", bytes: made.halves.key },
    ];
    const lines = console.lines.map((text) => ({ place: "console", text }));
    const haystacks = [...storageHaystacks(before), ...storageHaystacks(after), ...lines];
    expect(findLeaks(haystacks, canaries)).toEqual([]);
  });

  it("T44 is in the one answer to the person who began it, and in no later one", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider);
    for (const path of ["/api/connections", `/api/connections/${made.id}`, "/api/me"]) {
      const text = await (await person.call("GET", path)).text();
      expect(text).not.toContain(made.text);
      expect(text).not.toContain(provider.accessToken);
    }
    const again = await begin(person, { reauthorize: made.id });
    const kept = await finish(person, { ...goodAnswer(again, provider), credential: made.apiKey });
    const text = await kept.text();
    expect(kept.status).toBe(201);
    expect(text).not.toContain(made.text);
  });
});

describe("the credential of a signed-in connection", () => {
  it("T20 unknown, wrong second half, wrong service and disconnected are one answer", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider);
    const gone = await signIn(person, provider);
    await person.call("DELETE", `/api/connections/${gone.id}`);
    const half = made.text.slice(0, 44);
    const paths = [
      `/mcp/custom/${"A".repeat(86)}`,
      `/mcp/custom/${half}${"A".repeat(42)}`,
      `/mcp/github/${made.text}`,
      gone.secretPath,
    ];
    const seen = await Promise.all(
      paths.map(async (path) => {
        const answer = await instance.fetch(path, rpcCall());
        const headers = [...answer.headers].filter(([name]) => name !== "date");
        return JSON.stringify([answer.status, headers, await answer.text()]);
      }),
    );
    expect(new Set(seen).size).toBe(1);
  });

  it("T21 after DELETE has answered nothing is forwarded", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider);
    expect(await (await instance.fetch(made.secretPath, rpcCall())).json()).toHaveProperty("result");
    await person.call("DELETE", `/api/connections/${made.id}`);
    const { length } = await provider.requests("/mcp");
    const byKey = withHeaders(rpcCall(), { authorization: `Bearer ${made.apiKey}` });
    for (let time = 0; time < 3; time += 1) {
      await instance.fetch(made.secretPath, rpcCall());
      await instance.fetch(made.mcpPath, byKey);
    }
    expect(await provider.requests("/mcp")).toHaveLength(length);
  });

  it("T22 a new one works, the old one is unknown, the grant is intact", async () => {
    const person = await createPerson(instance);
    const provider = await createProvider(hostile);
    const made = await signIn(person, provider);
    const answer = await person.call("POST", `/api/connections/${made.id}/credential`, {
      credential: made.text,
    });
    const { credential } = await answer.json<{ credential: { secret_url: string } }>();
    const fresh = await instance.fetch(new URL(credential.secret_url).pathname, rpcCall());
    expect(await fresh.json()).toHaveProperty("result");
    expect(await (await instance.fetch(made.secretPath, rpcCall())).text()).toMatch(/not known/);
    expect(await provider.requests("/token")).toHaveLength(1);
    expect(await provider.requests("/revoke")).toHaveLength(0);
  });
});
