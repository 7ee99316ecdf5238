import { beforeAll, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { formatCredential } from "../../src/vault/credential.ts";
import { problemOf, rpcCall, rpcErrorOf, withHeaders } from "../support/answers.ts";
import { countedEnv } from "../support/counting.ts";
import { createInstance, type CallInit } from "../support/instance.ts";
import { createPerson, type Connected } from "../support/person.ts";
import { upstream } from "../support/upstream.ts";

const ledger = countedEnv();
const instance = createInstance({ ...ledger.env, ALLOWED_ADDRESSES: "192.0.2.200, 2001:db8:77::/48" });
const service = upstream();
let connected: Connected;

beforeAll(async () => {
  connected = await (await createPerson(instance)).connect({ url: service.url });
});

const from = (address: string, init: CallInit = {}): CallInit =>
  withHeaders(init, { "cf-connecting-ip": address });
const unknown = () => `/mcp/custom/${formatCredential({ id: systemRandom(32), key: systemRandom(32) })}`;

/** Scans as scanners do, until told to wait. */
async function getBlocked(address: string): Promise<Response> {
  for (const path of ["/.env", "/wp-login.php", "/.git/config", "/phpmyadmin/", "/.env.bak"]) {
    const answer = await instance.fetch(path, from(address));
    if (answer.status === 429) return answer;
    await problemOf(answer, "not_found");
  }
  throw new Error("was never told to wait");
}

describe("a scanner", () => {
  it("T20 T25 is told to wait, and for how long, whatever it tries next", async () => {
    const address = "192.0.2.10";
    const answer = await getBlocked(address);
    await problemOf(answer, "rate_limited");
    expect(answer.headers.get("retry-after")).toBe("60");
    const { id } = connected.credential;
    const waits = new Set<string>();
    for (const path of [
      unknown(),
      `/mcp/custom/${formatCredential({ id, key: systemRandom(32) })}`,
      `/mcp/demo/${connected.text}`,
      "/mcp/custom/abc",
      "/mcp/custom",
      "/nope",
    ]) {
      const refused = await instance.fetch(path, from(address));
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      waits.add(JSON.stringify(await problemOf(refused, "rate_limited")));
    }
    expect(waits.size, "answers that tell nothing apart").toBe(1);
    const call = await instance.fetch(unknown(), from(address, rpcCall()));
    await rpcErrorOf(call.clone(), "rate_limited");
    expect(Number(call.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("keeps nobody out who has a valid credential, at the same address", async () => {
    const address = "192.0.2.11";
    await getBlocked(address);
    const { secretPath, mcpPath, apiKey } = connected;
    expect((await instance.fetch(secretPath, from(address, rpcCall()))).status).toBe(200);
    const byHeader = withHeaders(rpcCall(), { authorization: `Bearer ${apiKey}` });
    expect((await instance.fetch(mcpPath, from(address, byHeader))).status).toBe(200);
    const person = await createPerson(instance);
    const listed = await person.call("GET", "/api/connections", undefined, { "cf-connecting-ip": address });
    expect(listed.status).toBe(200);
  });

  it("T26 is its /64 in IPv6, and no claim of its own moves it elsewhere", async () => {
    await getBlocked("2001:db8:5:6::1");
    const elsewhere = {
      "x-forwarded-for": "192.0.2.99",
      "x-real-ip": "192.0.2.99",
      forwarded: "for=192.0.2.99",
    };
    for (const [path, headers] of [
      [unknown(), {}],
      [unknown(), elsewhere],
      ["/MCP/custom", elsewhere],
    ] as const) {
      const same = await instance.fetch(path, from("2001:db8:5:6:ffff::9", { headers }));
      await problemOf(same, "rate_limited");
    }
    const neighbour = await instance.fetch(unknown(), from("2001:db8:5:7::1"));
    await problemOf(neighbour, "unknown_credential");
  });

  it("may be one that the operator allows", async () => {
    for (const address of ["192.0.2.200", "2001:db8:77:1::1"]) {
      for (let at = 0; at < 20; at += 1)
        await problemOf(await instance.fetch("/.env", from(address)), "not_found");
    }
  });
});

describe("one who guesses credentials", () => {
  it("T13 malformed ones reach no storage but the block list, once, and D1 only learns that there was a block", async () => {
    ledger.take();
    const address = "192.0.2.20";
    for (let at = 0; at < 200; at += 1)
      await instance.fetch(`/mcp/custom/guess-${at}`, from(address, rpcCall()));
    // The block is one line of the log: the console would show the URL.
    expect(ledger.take()).toBe("kv:get d1:batch kv:put");
  });

  it("well-formed ones cost the one read each, and write nothing", async () => {
    ledger.take();
    const address = "192.0.2.21";
    for (let at = 0; at < 10; at += 1) await instance.fetch(unknown(), from(address, rpcCall()));
    const operations = ledger.take().split(" ");
    expect(operations.filter((operation) => operation === "d1:first")).toHaveLength(10);
    expect(operations.filter((operation) => /put|run|batch|delete/.test(operation))).toEqual([]);
  });

  it("a valid call asks neither the list nor the limiter of guesses", async () => {
    const address = "192.0.2.22";
    await instance.fetch(connected.secretPath, from(address, rpcCall()));
    ledger.take();
    await instance.fetch(connected.secretPath, from(address, rpcCall()));
    expect(ledger.take()).toBe("d1:first");
  });
});
