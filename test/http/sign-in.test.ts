import { describe, expect, inject, it } from "vitest";
import { problemOf } from "../support/answers.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { begin, finish, goodAnswer, signedInBy, signIn, tryToBegin } from "../support/sign-in.ts";
import { edit, inventory } from "../support/storage.ts";

const hostile = inject("hostileUrl");
const instance = createInstance();

async function begun(person = createPerson(instance)) {
  const provider = await createProvider(hostile);
  const owner = await person;
  return { provider, owner, flow: await begin(owner, { service: "custom", url: provider.mcpUrl }) };
}

describe("finishing a sign-in", () => {
  it("T30 without a state, or with a wrong one, asks the provider for nothing", async () => {
    const { provider, owner, flow } = await begun();
    const good = goodAnswer(flow, provider);
    await problemOf(await finish(owner, { code: "code", iss: provider.issuer }), "invalid_request");
    for (const state of ["x", flow.state.slice(1), `${flow.state}A`, flow.state.toLowerCase()]) {
      await problemOf(await finish(owner, { ...good, state }), "sign_in_unknown");
    }
    expect(await provider.requests("/token")).toHaveLength(0);
    // None of it used the flow up.
    await signedInBy(await finish(owner, good));
  });

  it("T30 T44 a second time is refused: one code, one credential, one answer", async () => {
    const { provider, owner, flow } = await begun();
    const good = goodAnswer(flow, provider);
    await signedInBy(await finish(owner, good));
    await problemOf(await finish(owner, good), "sign_in_unknown");
    expect(await provider.requests("/token")).toHaveLength(1);
  });

  it("T30 T44 of two at the same moment one wins", async () => {
    const { provider, owner, flow } = await begun();
    const good = goodAnswer(flow, provider);
    const answers = await Promise.all(Array.from({ length: 5 }, () => finish(owner, good)));
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual([
      "201",
      "409",
      "409",
      "409",
      "409",
    ]);
    expect(await provider.requests("/token")).toHaveLength(1);
  });

  it("T30 after 10 minutes is refused", async () => {
    const { provider, owner, flow } = await begun();
    await edit(instance.env, "UPDATE flows SET expires_at = expires_at - 600000");
    await problemOf(await finish(owner, goodAnswer(flow, provider)), "sign_in_unknown");
    expect(await provider.requests("/token")).toHaveLength(0);
  });

  it("T30 shortly before that it works", async () => {
    const { provider, owner, flow } = await begun();
    await edit(instance.env, "UPDATE flows SET expires_at = expires_at - 540000");
    await signedInBy(await finish(owner, goodAnswer(flow, provider)));
  });

  it("T31 T32 by anybody but the person who began it exchanges and stores nothing", async () => {
    const { provider, owner, flow } = await begun();
    const victim = await createPerson(instance);
    // Seen once, so that being provisioned does not count as stored.
    await victim.call("GET", "/api/me");
    const before = await inventory(instance.env);
    await problemOf(await finish(victim, goodAnswer(flow, provider)), "sign_in_unknown");
    expect(await inventory(instance.env)).toEqual(before);
    expect(await provider.requests("/token")).toHaveLength(0);
    // Nor does the attempt end the flow of the one who began it.
    await signedInBy(await finish(owner, goodAnswer(flow, provider)));
  });

  it("T31 another's code in one's own flow is exchanged under one's own verifier only", async () => {
    const { provider, owner, flow } = await begun();
    const other = await createPerson(instance);
    const theirs = await begin(other, { service: "custom", url: provider.mcpUrl });
    expect(theirs.asked.get("code_challenge")).not.toBe(flow.asked.get("code_challenge"));
    await signedInBy(await finish(owner, { ...goodAnswer(flow, provider), code: "planted" }));
    const [request] = await provider.requests("/token");
    const sent = new URLSearchParams(request?.body);
    expect(sent.get("code")).toBe("planted");
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(sent.get("code_verifier") ?? ""),
    );
    const challenge = btoa(String.fromCharCode(...new Uint8Array(digest)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
    expect(challenge).toBe(flow.asked.get("code_challenge"));
  });

  it("T82 signing another user's connection in again is not found", async () => {
    const provider = await createProvider(hostile);
    const owner = await createPerson(instance);
    const other = await createPerson(instance);
    const { id } = await signIn(owner, provider);
    await problemOf(await tryToBegin(other, { reauthorize: id }), "unknown_connection");
    await problemOf(await other.call("POST", `/api/connections/${id}/credential`, {}), "unknown_connection");
    await problemOf(await other.call("DELETE", `/api/connections/${id}`), "unknown_connection");
  });

  it("T45 asks again whether the service may be connected", async () => {
    const { provider, owner, flow } = await begun();
    const paused = createInstance({ PAUSED_SERVICES: "custom" });
    const answer = await paused.fetch("/api/connections/complete", {
      method: "POST",
      headers: { authorization: `Bearer ${owner.token}`, "content-type": "application/json" },
      body: JSON.stringify(goodAnswer(flow, provider)),
    });
    const problem = await problemOf(answer, "service_not_available");
    expect(problem.detail).toMatch(/paused/);
    expect(await provider.requests("/token")).toHaveLength(0);
  });

  it("needs somebody who is signed in", async () => {
    const { provider, flow } = await begun();
    const headers = { "content-type": "application/json" };
    for (const path of ["authorize", "complete"]) {
      const body = JSON.stringify(path === "complete" ? goodAnswer(flow, provider) : { service: "custom" });
      const answer = await instance.fetch(`/api/connections/${path}`, { method: "POST", headers, body });
      await problemOf(answer, "unauthenticated");
    }
    expect(await provider.requests("/token")).toHaveLength(0);
  });
});

describe("beginning a sign-in", () => {
  it("T36 sends people back to the page or to a program's port, and nowhere else", async () => {
    const { provider, owner } = await begun();
    const wanted = { service: "custom", url: provider.mcpUrl };
    for (const return_to of [
      "//evil.example",
      "/\\evil.example",
      "https://evil.example",
      "https://127.0.0.1:8787.evil.example",
      "http://127.0.0.1:8787@evil.example",
      "http://127.0.0.1:9999\\@evil.example",
      "http://127.0.0.1:9999/\r\nset-cookie: a=b",
      "http://127.0.0.1:9999/?a=b",
      "http://127.0.0.1:9999/#x",
      "http://localhost.evil.example:9999/",
      "javascript:alert(1)",
      "http://127.0.0.1",
      "",
    ]) {
      await problemOf(await tryToBegin(owner, { ...wanted, return_to }), "invalid_request");
    }
    await begin(owner, { ...wanted, return_to: "http://127.0.0.1:9999/back" });
    await begin(owner, { ...wanted, return_to: "http://[::1]:9999/back" });
    await begin(owner, { ...wanted, return_to: instance.env.ADMIN_URL });
  });

  it("needs a service or a connection, and not both", async () => {
    const { provider, owner } = await begun();
    const { id } = await signIn(owner, provider);
    await problemOf(await tryToBegin(owner, {}), "invalid_request");
    await problemOf(await tryToBegin(owner, { service: "custom", reauthorize: id }), "invalid_request");
    await problemOf(await tryToBegin(owner, { service: "custom" }), "invalid_request");
    await problemOf(await tryToBegin(owner, { service: "nowhere" }), "unknown_service");
    await problemOf(await tryToBegin(owner, { reauthorize: "con_0" }), "unknown_connection");
  });
});
