import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { fromHex, utf8 } from "../../src/lib/bytes.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { formatCredential } from "../../src/vault/credential.ts";
import { rpcCall, withHeaders } from "../support/answers.ts";
import { findLeaks, storageHaystacks, textCanary, type Canary } from "../support/canary.ts";
import { brokenEnvironments } from "../support/faults.ts";
import { createInstance, type CallInit } from "../support/instance.ts";
import { createPerson, type Connected, type Person } from "../support/person.ts";
import { dump, edit } from "../support/storage.ts";
import { watched } from "../support/watched.ts";

const secret = "canary/of+the=service-0123456789";
const header = { name: "X-Service-Key" };
const odd = inject("oddUrl");
const instance = createInstance();
const { capture, haystacks, forbidden, call } = watched();
const secrets: Canary[] = [textCanary("key of the service", secret)];
const credentials: Canary[] = [];
let person: Person;
const connections: Connected[] = [];

const storages = ["zero_knowledge", "managed"] as const;
const signedIn = () => ({ authorization: `Bearer ${person.token}`, "content-type": "application/json" });

/** A connection to a service that answers with this status and repeats what it was sent. */
async function connect(status: number, storage: (typeof storages)[number]): Promise<Connected> {
  const connected = await person.connect({ url: `${odd}/open/${status}`, key: secret, header, storage });
  const { credential, text, apiKey } = connected;
  credentials.push({ name: "id", bytes: credential.id }, { name: "second half", bytes: credential.key });
  credentials.push(textCanary("credential", text), textCanary("API key", apiKey));
  return connected;
}

beforeAll(async () => {
  person = await createPerson(instance);
  for (const storage of storages) {
    for (const status of [200, 401, 500]) connections.push(await connect(status, storage));
  }
  secrets.push(textCanary("token", person.token));
  for (const [hex] of env.MANAGED_ENCRYPTION_KEYS.matchAll(/[0-9a-f]{64}/g)) {
    secrets.push({ name: "master key", bytes: fromHex(hex) ?? utf8(hex) });
  }
});

afterAll(() => {
  capture.restore();
});

const requestsTo = ({ secretPath, mcpPath, apiKey }: Connected): readonly (readonly [string, CallInit])[] => [
  [secretPath, rpcCall()],
  [secretPath, { method: "GET" }],
  [secretPath, { method: "DELETE" }],
  [`${secretPath}/sse`, { method: "GET" }],
  [`${secretPath}/messages?e=AAAA`, rpcCall()],
  [mcpPath, withHeaders(rpcCall(), { authorization: `Bearer ${apiKey}` })],
  [mcpPath, withHeaders({ method: "GET" }, { "x-api-key": apiKey })],
];

describe("T90 T92 T93 secrets and what is written down", () => {
  it("calls that succeed, fail at the service, and are refused", async () => {
    for (const connected of connections) {
      for (const [path, init] of requestsTo(connected)) {
        await call(instance, `${init.method} ${connected.id}`, path, init);
      }
      const wrong = formatCredential({ id: connected.credential.id, key: systemRandom(32) });
      await call(instance, "a wrong second half", `/mcp/custom/${wrong}`, rpcCall());
      await call(instance, "another service", `/mcp/demo/${connected.text}`, rpcCall());
      await call(
        instance,
        "a mistyped key",
        "/mcp/custom",
        withHeaders(rpcCall(), { authorization: `Bearer ${connected.apiKey}x` }),
      );
      await call(
        instance,
        "a foreign origin",
        connected.secretPath,
        withHeaders(rpcCall(), { origin: "https://evil.example" }),
      );
      await call(instance, "another method", connected.secretPath, { method: "PUT" });
    }
  });

  it("paths that clients make up, with the credential in them", async () => {
    for (const { text, secretPath, apiKey } of connections.slice(0, 2)) {
      for (const path of [
        `/.well-known/oauth-protected-resource${secretPath}`,
        `${secretPath}/.well-known/openid-configuration`,
        `${secretPath}/`,
        `${secretPath}//x`,
        `/${text}`,
        `/mcp/${text}`,
        `/mcp/custom?key=${apiKey}`,
        `/MCP/custom/${text}`,
        `/oauth/callback?code=${text}`,
        `/healthz/${text}`,
      ]) {
        for (const init of [{ method: "GET" }, rpcCall()]) await call(instance, `a made-up path`, path, init);
      }
    }
  });

  it("connecting, with services that repeat the key in their refusal", async () => {
    for (const path of [
      "/status/401",
      "/status/403",
      "/status/500",
      "/status/200",
      "/html",
      "/redirect",
      "/nothing",
    ]) {
      for (const storage of ["zero_knowledge", "managed"]) {
        const body = { service: "custom", url: odd + path, fields: { api_key: secret }, header, storage };
        await call(instance, `connecting ${path}`, "/api/connections", {
          method: "POST",
          headers: signedIn(),
          body: JSON.stringify(body),
        });
      }
    }
    for (const body of [
      `{"service":"custom","fields":{"api_key":"${secret}"`,
      JSON.stringify({
        service: "custom",
        url: `https://x:${secret}@example.com`,
        fields: { api_key: secret },
      }),
      JSON.stringify({
        service: "custom",
        url: `${odd}/open/200`,
        fields: { api_key: `${secret}\n` },
        header: { name: `X ${secret}` },
      }),
      JSON.stringify({ service: secret, fields: { [secret]: secret } }),
    ]) {
      await call(instance, "a bad request", "/api/connections", {
        method: "POST",
        headers: signedIn(),
        body,
      });
    }
  });

  it("storage, limiters and settings that fail and quote what they were given", async () => {
    for (const storage of storages) {
      for (const [name, breakIt] of Object.entries(brokenEnvironments)) {
        // A connection that was never used: its first call has something to defer.
        const connected = await connect(200, storage);
        await edit(env, "UPDATE connections SET blob = NULL WHERE id = ?1", connected.id);
        const broken = createInstance(breakIt(`${secret} ${connected.text} ${connected.apiKey}`));
        const unknown = formatCredential({ id: systemRandom(32), key: systemRandom(32) });
        for (const [path, init] of [
          ...requestsTo(connected),
          [`/mcp/custom/${unknown}`, { method: "GET" }] as const,
          ["/api/connections/con_1", { method: "GET", headers: signedIn() }] as const,
          ["/api/connections/con_1", { method: "DELETE", headers: signedIn() }] as const,
          // Where a client or a person may put it, of all addresses below /api.
          [`/api/connections/${connected.text}`, { method: "GET", headers: signedIn() }] as const,
          [`/api/connections?cursor=${connected.text}`, { method: "GET", headers: signedIn() }] as const,
          [`/api/events?type=${connected.apiKey}`, { method: "GET", headers: signedIn() }] as const,
          [`/healthz?key=${connected.text}`, { method: "GET" }] as const,
        ]) {
          await call(broken, name, env.PUBLIC_URL + path, init);
        }
      }
    }
  });

  it("a row that was tampered with, and the jobs that print what was noted", async () => {
    const [first] = connections;
    await edit(env, "UPDATE connections SET blob = 'AAAA' WHERE id = ?1", first?.id ?? "");
    await call(instance, "a tampered row", first?.secretPath ?? "", rpcCall());
    const { tables } = await dump(env);
    expect(tables["log_events"]?.length).toBeGreaterThan(3);
    haystacks.push(...storageHaystacks(await dump(env)));
    await instance.cron("* * * * *");
    expect((await dump(env)).tables["log_events"]).toEqual([]);
    for (const line of capture.lines) haystacks.push({ place: "console", text: line });
    haystacks.push(...storageHaystacks(await dump(env)));
  });

  it("T90 none of it holds a secret, in any form", () => {
    expect(haystacks.length).toBeGreaterThan(300);
    expect(findLeaks(haystacks, [...secrets, ...credentials])).toEqual([]);
  });

  it("T93 an invocation whose path may hold a credential wrote no console line", () => {
    expect(forbidden).toEqual([]);
    expect(capture.lines.length, "others did").toBeGreaterThan(3);
  });

  it("T92 lines are events with enumerated fields: no path, no address, no message", () => {
    for (const line of capture.lines) {
      const event: unknown = JSON.parse(line);
      for (const value of Object.values(typeof event === "object" && event !== null ? event : {})) {
        expect(String(value), line).toMatch(/^(?:[A-Za-z0-9_.-]{1,64}|\[unprintable\])$/);
      }
      expect(line).not.toMatch(/\/|con_1"|127\.0\.0\.1/);
    }
  });
});
