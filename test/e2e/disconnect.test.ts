import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDemoService, type DemoService } from "../../scripts/demo-service/demo-service.ts";
import { call, remove, stored } from "../support/node/ending.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import { connectV2 } from "../support/node/mcp-clients.ts";
import { connectByOauth, problemIn, signedInBy, signIn } from "../support/node/sign-in.ts";

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

const refused = /not known for this service/;

async function works(secretUrl: string): Promise<boolean> {
  const client = await connectV2(secretUrl);
  const tools = await client.listTools();
  await client.close();
  return tools.length > 0;
}

describe("disconnecting", () => {
  it("managed: the provider is asked at once", async () => {
    const { connection, secretUrl } = await connectByOauth(instance, { service: "demo", storage: "managed" });
    const { revocations } = demo.stats();
    const { revocation, connection: after } = await remove(instance, connection.id);
    expect(revocation.outcome).toBe("revoked");
    expect(revocation.detail).toContain("Demo notes has revoked its access");
    expect(after).toMatchObject({ status: "disconnected", revocation: "revoked" });
    expect(demo.stats().revocations).toBe(revocations + 1);
    expect((await call(secretUrl)).body).toMatch(refused);
    await expect.poll(() => stored(instance, connection.id)).toEqual({ row: null, copies: 0 });
  });

  for (const form of ["secretUrl", "apiKey"] as const) {
    it(`user-held with the credential (${form}): the provider is asked at once`, async () => {
      const made = await connectByOauth(instance, { service: "demo" });
      const { revocations } = demo.stats();
      const { revocation } = await remove(instance, made.connection.id, { credential: made[form] });
      expect(revocation.outcome).toBe("revoked");
      expect(demo.stats().revocations).toBe(revocations + 1);
      await expect.poll(() => stored(instance, made.connection.id)).toEqual({ row: null, copies: 0 });
    });
  }

  it("user-held without it: revoked when the dead credential is next presented, and the client is told nothing", async () => {
    const made = await connectByOauth(instance, { service: "demo" });
    const unknown = await call(made.secretUrl.replace(/[\w-]{86}$/, "A".repeat(86)));
    const { revocations } = demo.stats();
    const { revocation } = await remove(instance, made.connection.id);
    expect(revocation.outcome).toBe("awaiting_credential");
    expect(revocation.detail).toMatch(/30 days/);
    expect(demo.stats().revocations).toBe(revocations);
    expect((await stored(instance, made.connection.id)).row).not.toBeNull();

    expect(await call(made.secretUrl)).toEqual(unknown);
    await expect.poll(() => demo.stats().revocations).toBe(revocations + 1);
    const path = `/api/connections/${made.connection.id}`;
    await expect
      .poll(async () => (await instance.api("GET", path)).body)
      .toMatchObject({ status: "disconnected", revocation: "revoked" });
    await expect.poll(() => stored(instance, made.connection.id)).toEqual({ row: null, copies: 0 });
    // Once is enough.
    expect(await call(made.secretUrl)).toEqual(unknown);
    expect(demo.stats().revocations).toBe(revocations + 1);
  });

  it("a wrong credential, or another's, opens nothing and revokes nothing", async () => {
    const made = await connectByOauth(instance, { service: "demo" });
    const other = await connectByOauth(instance, { service: "demo" });
    const { revocations } = demo.stats();
    const { revocation } = await remove(instance, made.connection.id, { credential: other.secretUrl });
    expect(revocation.outcome).toBe("awaiting_credential");
    expect(demo.stats().revocations).toBe(revocations);
    expect(await works(other.secretUrl)).toBe(true);
  });

  it("`purge=now` keeps nothing that could be opened later", async () => {
    const made = await connectByOauth(instance, { service: "demo" });
    const { revocation } = await remove(instance, made.connection.id, { purge: true });
    expect(revocation.outcome).toBe("failed");
    expect(revocation.detail).toMatch(/tokens were deleted here/);
    await expect.poll(() => stored(instance, made.connection.id)).toEqual({ row: null, copies: 0 });
  });

  it("can be repeated", async () => {
    const made = await connectByOauth(instance, { service: "demo", storage: "managed" });
    await remove(instance, made.connection.id);
    const { revocations } = demo.stats();
    expect((await remove(instance, made.connection.id)).revocation.outcome).toBe("revoked");
    expect(demo.stats().revocations).toBe(revocations);
  });

  it("T82 another user's id is not found, and nothing happens to it", async () => {
    const made = await connectByOauth(instance, { service: "demo" }, { user: "ada" });
    const path = `/api/connections/${made.connection.id}`;
    expect((await instance.api("DELETE", path, undefined, "ben")).status).toBe(404);
    expect((await instance.api("POST", `${path}/credential`, {}, "ben")).status).toBe(404);
    const again = { reauthorize: made.connection.id };
    expect((await instance.api("POST", "/api/connections/authorize", again, "ben")).status).toBe(404);
    expect(await works(made.secretUrl)).toBe(true);
  });
});

describe("where a provider may end more than one grant", () => {
  it("is not asked while another connection of the workspace lives at that issuer", async () => {
    // Of an address outside the catalogue nobody knows how far a revocation reaches.
    const wanted = { service: "custom", url: demo.mcpUrl, storage: "managed" } as const;
    const user = "siblings";
    const [one, two] = [
      await connectByOauth(instance, wanted, { user }),
      await connectByOauth(instance, wanted, { user }),
    ];
    const { revocations } = demo.stats();
    const first = await remove(instance, one.connection.id, { user });
    expect(first.revocation.outcome).toBe("skipped");
    expect(first.revocation.detail).toMatch(/other connection/);
    expect(demo.stats().revocations).toBe(revocations);
    expect(await works(two.secretUrl)).toBe(true);
    expect((await remove(instance, two.connection.id, { user })).revocation.outcome).toBe("revoked");
    expect(demo.stats().revocations).toBe(revocations + 1);
  });
});

describe("a new sign-in after disconnecting", () => {
  it("keeps id and label under a new credential, and the dead one stays dead", async () => {
    const made = await connectByOauth(instance, { service: "demo", label: "Comes back" }, { name: "back" });
    await works(made.secretUrl);
    await remove(instance, made.connection.id, { credential: made.secretUrl });
    const again = await signIn(
      instance,
      { reauthorize: made.connection.id },
      { name: "back", credential: made.secretUrl },
    ).catch((error: unknown) => error);
    expect(again).toMatchObject({
      connection: { id: made.connection.id, label: "Comes back", status: "active", revocation: null },
    });
    const fresh = signedInBy({ status: 201, headers: new Headers(), body: again });
    expect(await works(fresh.credential?.secret_url ?? "")).toBe(true);
    expect((await call(made.secretUrl)).body).toMatch(refused);
  });
});

describe("a new credential for a connection", () => {
  for (const storage of ["zero_knowledge", "managed"] as const) {
    it(`T22 ${storage}: the new address works, the old one is unknown, the grant is intact`, async () => {
      const made = await connectByOauth(instance, { service: "demo", storage });
      const { revocations, tokensByCode } = demo.stats();
      const path = `/api/connections/${made.connection.id}/credential`;
      const body = storage === "managed" ? {} : { credential: made.apiKey };
      const fresh = signedInBy(await instance.api("POST", path, body));
      const url = fresh.credential?.secret_url ?? "";
      expect(url).not.toBe(made.secretUrl);
      expect(await works(url)).toBe(true);
      expect((await call(made.secretUrl)).body).toMatch(refused);
      demo.expireAccessTokens();
      expect(await works(url)).toBe(true);
      expect(demo.stats()).toMatchObject({ revocations, tokensByCode });
    });
  }

  it("needs the present one where nobody else can open the grant", async () => {
    const made = await connectByOauth(instance, { service: "demo" });
    const other = await connectByOauth(instance, { service: "demo" });
    const path = `/api/connections/${made.connection.id}/credential`;
    expect(problemIn(await instance.api("POST", path, {})).code).toBe("reauthorize_needed");
    const foreign = { credential: other.secretUrl };
    expect(problemIn(await instance.api("POST", path, foreign)).code).toBe("credential_mismatch");
    expect(await works(made.secretUrl)).toBe(true);
  });
});
