import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDemoService, type DemoService } from "../../scripts/demo-service/demo-service.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";
import {
  begin,
  complete,
  connectByOauth,
  consent,
  problemIn,
  signedInBy,
  signIn,
} from "../support/node/sign-in.ts";

let demo: DemoService;
let instance: Instance;

beforeAll(async () => {
  demo = await startDemoService({ port: 0 });
  instance = await startInstance({ demo: false, page: false, variables: { DEMO_SERVICE_URL: demo.url } });
});

afterAll(async () => {
  await instance?.close();
  await demo?.close();
});

/** A note through a secret URL and back, with an official client. */
async function useNotes(url: string, text: string, headers: Record<string, string> = {}): Promise<string> {
  const client = await connectV2(url, { headers });
  await client.callTool("add_note", { text });
  const notes = await client.callTool("list_notes");
  await client.close();
  return notes;
}

describe("connecting a service of the catalogue by signing in", () => {
  it("says where the sign-in goes, and how long it may take", async () => {
    const begun = await begin(instance, { service: "demo" });
    const host = new URL(demo.url).host;
    expect(begun).toMatchObject({ authorization_server: host, resource_server: host });
    const left = Date.parse(begun.expires_at) - Date.now();
    expect(left).toBeGreaterThan(590_000);
    expect(left).toBeLessThanOrEqual(600_000);
  });

  it("T35 T42 asks with S256, the resource and the scopes that the server named", async () => {
    const { searchParams } = new URL((await begin(instance, { service: "demo" })).authorization_url);
    expect(searchParams.get("response_type")).toBe("code");
    expect(searchParams.get("code_challenge_method")).toBe("S256");
    expect(searchParams.get("code_challenge")).toMatch(/^[\w-]{43}$/);
    expect(searchParams.get("resource")).toBe(demo.mcpUrl);
    expect(searchParams.get("redirect_uri")).toBe(`${instance.url}/oauth/callback`);
    expect(searchParams.get("scope")?.split(" ").toSorted()).toEqual([
      "notes:read",
      "notes:write",
      "offline_access",
    ]);
  });

  for (const storage of ["zero_knowledge", "managed"] as const) {
    it(`${storage}: the secret URL and the key work in an official client`, async () => {
      const made = await connectByOauth(
        instance,
        { service: "demo", storage, label: "Mine" },
        { name: storage },
      );
      expect(made.connection).toMatchObject({ label: "Mine", kind: "oauth", storage, status: "active" });
      expect(made.connection.scope?.split(" ").toSorted()).toContain("notes:write");
      expect(Date.parse(made.connection.access_expires_at ?? "")).toBeGreaterThan(Date.now());
      expect(await useNotes(made.secretUrl, `by url ${storage}`)).toContain(`by url ${storage}`);
      const bearer = { Authorization: `Bearer ${made.apiKey}` };
      expect(await useNotes(made.mcpUrl, "by key", bearer)).toContain(`by url ${storage}`);
    });
  }

  it("registers once at an issuer, however many sign in there", async () => {
    await connectByOauth(instance, { service: "demo" }, { user: "first" });
    const before = demo.stats().registrations;
    await connectByOauth(instance, { service: "demo" }, { user: "second" });
    expect(demo.stats().registrations).toBe(before);
  });
});

describe("an access token that ends", () => {
  it("is renewed when the service refuses it, and the call goes on", async () => {
    const made = await connectByOauth(instance, { service: "demo" }, { name: "renewed" });
    expect(await useNotes(made.secretUrl, "before")).toContain("before");
    const { tokensByRefresh } = demo.stats();
    demo.expireAccessTokens();
    expect(await useNotes(made.secretUrl, "after")).toContain("after");
    expect(demo.stats().tokensByRefresh).toBe(tokensByRefresh + 1);
  });

  it("is renewed before it ends, without a refused call", async () => {
    let life = 3;
    const short = await startDemoService({ port: 0, accessTokenTtl: () => life });
    const made = await connectByOauth(instance, { service: "custom", url: short.mcpUrl });
    expect(await useNotes(made.secretUrl, "one")).toContain("one");
    const { mcpRefused } = short.stats();
    life = 600;
    await new Promise((resolve) => setTimeout(resolve, 3100));
    expect(await useNotes(made.secretUrl, "two")).toContain("one");
    expect(short.stats().tokensByRefresh).toBeGreaterThan(0);
    expect(short.stats().mcpRefused).toBe(mcpRefused);
    await short.close();
  });

  it("asks for a new sign-in once the service ended everything", async () => {
    const made = await connectByOauth(instance, { service: "demo" }, { name: "ended" });
    demo.revokeEverything();
    await expect(useNotes(made.secretUrl, "x")).rejects.toThrow(/re-authorize/);
    const seen = await instance.api("GET", `/api/connections/${made.connection.id}`);
    expect(seen.body).toMatchObject({ status: "active", state: "reauthorize" });
  });
});

describe("signing in again", () => {
  it("keeps the address where the present credential is shown", async () => {
    const made = await connectByOauth(instance, { service: "demo", label: "Kept" }, { name: "again" });
    await useNotes(made.secretUrl, "first note");
    demo.revokeEverything();
    for (const credential of [made.secretUrl, made.apiKey]) {
      const again = await signIn(
        instance,
        { reauthorize: made.connection.id },
        { name: "again", credential },
      );
      expect(again.credential).toBeNull();
      expect(again.connection).toMatchObject({ id: made.connection.id, label: "Kept", state: "working" });
      expect(await useNotes(made.secretUrl, "second note")).toContain("first note");
    }
  });

  it("T22 gives a new address without it, and the old one is unknown", async () => {
    const made = await connectByOauth(instance, { service: "demo" }, { name: "moved" });
    const again = await signIn(instance, { reauthorize: made.connection.id }, { name: "moved" });
    expect(again.connection.id).toBe(made.connection.id);
    expect(again.credential?.secret_url).not.toBe(made.secretUrl);
    expect(await useNotes(again.credential?.secret_url ?? "", "moved")).toContain("moved");
    await expect(useNotes(made.secretUrl, "x")).rejects.toThrow(/not known/);
  });

  it("refuses the credential of another connection, and changes nothing", async () => {
    const [made, other] = [
      await connectByOauth(instance, { service: "demo" }, { name: "one" }),
      await connectByOauth(instance, { service: "demo" }, { name: "two" }),
    ];
    const begun = await begin(instance, { reauthorize: made.connection.id });
    const answer = { ...(await consent(instance, begun)), credential: other.secretUrl };
    const revoked = demo.stats().revocations;
    expect(problemIn(await complete(instance, answer)).code).toBe("credential_mismatch");
    expect(await useNotes(made.secretUrl, "still")).toContain("still");
    // The tokens that nobody holds any more are given back.
    await expect.poll(() => demo.stats().revocations).toBe(revoked + 1);
  });

  it("keeps the address in managed storage, also without a credential, and changes the storage", async () => {
    const made = await connectByOauth(instance, { service: "demo", storage: "managed" }, { name: "m" });
    const again = await signIn(instance, { reauthorize: made.connection.id }, { name: "m" });
    expect(again.credential).toBeNull();
    const held = await signIn(
      instance,
      { reauthorize: made.connection.id, storage: "zero_knowledge" },
      { name: "m", credential: made.secretUrl },
    );
    expect(held.connection.storage).toBe("zero_knowledge");
    expect(await useNotes(made.secretUrl, "kept")).toContain("kept");
  });
});

describe("a provider that does not sign in", () => {
  it("T34 tells a person who cancels what happened", async () => {
    const begun = await begin(instance, { service: "demo" });
    const answer = await consent(instance, begun, { deny: true });
    expect(answer["error"]).toBe("access_denied");
    const problem = problemIn(await complete(instance, answer));
    expect(problem).toMatchObject({ status: 422, code: "sign_in_refused" });
    expect(problem.detail).toMatch(/^You did not allow the access/);
    // The flow is used up.
    expect(problemIn(await complete(instance, answer)).code).toBe("sign_in_unknown");
  });

  it("a code that the provider does not know ends in a sentence, and nothing is stored", async () => {
    const begun = await begin(instance, { service: "demo" }, "unlucky");
    const answer = { ...(await consent(instance, begun)), code: "made-up" };
    const problem = problemIn(await complete(instance, answer, "unlucky"));
    expect(problem).toMatchObject({ status: 502, code: "sign_in_unfinished" });
    const list = await instance.api("GET", "/api/connections", undefined, "unlucky");
    expect(list.body).toMatchObject({ connections: [] });
  });

  it("a program on a loopback port gets the answer in its query", async () => {
    const target = "http://127.0.0.1:9999/back";
    const begun = await begin(instance, { service: "demo", return_to: target });
    const answer = await consent(instance, begun);
    expect(answer).toMatchObject({ state: begun.state, iss: demo.url });
    expect(signedInBy(await complete(instance, answer)).connection.service).toBe("demo");
  });
});
