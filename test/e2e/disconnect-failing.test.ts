import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { call, remove, stored } from "../support/node/ending.ts";
import { type HostileServer, startHostileServer } from "../support/node/hostile-server.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { begin, complete, signedInBy } from "../support/node/sign-in.ts";
import { createProvider } from "../support/provider.ts";

let hostile: HostileServer;
let instance: Instance;

beforeAll(async () => {
  hostile = await startHostileServer();
  instance = await startInstance({ demo: false, page: false });
});

afterAll(async () => {
  await instance?.close();
  await hostile?.close();
});

describe("a provider that does not revoke", () => {
  for (const [how, canned, storage] of [
    ["fails (managed)", { status: 503, text: "busy" }, "managed"],
    ["refuses", { status: 400, json: { error: "unsupported_token_type" } }, "zero_knowledge"],
    ["breaks off", { reset: true }, "zero_knowledge"],
    ["redirects", { status: 302, headers: { location: "https://elsewhere.example/" } }, "zero_knowledge"],
  ] as const) {
    it(`${how}: the connection ends all the same, and the outcome is told`, async () => {
      const provider = await createProvider(hostile.url);
      const wanted = { service: "custom", url: provider.mcpUrl, storage };
      const { state } = await begin(instance, wanted);
      const answer = await complete(instance, { state, code: "code", iss: provider.issuer });
      const { connection, credential } = signedInBy(answer);
      const secretUrl = credential?.secret_url ?? "";
      await provider.answer("POST /revoke", canned);
      const { revocation } = await remove(instance, connection.id, { credential: secretUrl });
      // What the deployment can open by itself it tries again by itself, an hour later.
      expect(revocation.outcome).toBe(storage === "managed" ? "pending" : "awaiting_credential");
      const asked = await provider.requests("/revoke");
      expect(asked.length).toBeGreaterThan(0);
      expect(new URLSearchParams(asked[0]?.body).get("token")).toBe(provider.refreshToken);
      expect((await call(secretUrl)).body).toMatch(/not known for this service/);
      if (storage === "managed") return;
      // Clients keep calling: once the provider is back, one of them has it revoked.
      await provider.answer("POST /revoke", { json: {} });
      const path = `/api/connections/${connection.id}`;
      await expect
        .poll(async () => {
          await call(secretUrl);
          return (await instance.api("GET", path)).body;
        })
        .toMatchObject({ revocation: "revoked" });
    });
  }

  it("with `purge=now` the failure is final, and nothing stays", async () => {
    const provider = await createProvider(hostile.url);
    const { state } = await begin(instance, { service: "custom", url: provider.mcpUrl, storage: "managed" });
    const answer = await complete(instance, { state, code: "code", iss: provider.issuer });
    const { connection } = signedInBy(answer);
    await provider.answer("POST /revoke", { status: 500 });
    const { revocation } = await remove(instance, connection.id, { purge: true });
    expect(revocation.outcome).toBe("failed");
    await expect.poll(() => stored(instance, connection.id)).toEqual({ row: null, copies: 0 });
  });
});
