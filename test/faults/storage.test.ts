import { beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { faults } from "../../src/lib/fault.ts";
import type { Outbound } from "../../src/lib/outbound.ts";
import { createOauthHttp } from "../../src/oauth/http.ts";
import { formatCredential } from "../../src/vault/credential.ts";
import { problemOf, rpcCall, rpcErrorOf } from "../support/answers.ts";
import { faultyEnv, type FaultTime } from "../support/faulty-bindings.ts";
import { createInstance, type Instance } from "../support/instance.ts";
import { createdAnswer, createPerson, type Person } from "../support/person.ts";
import { createProvider } from "../support/provider.ts";
import { createWorld } from "../support/refresh/world.ts";
import { shortenPauses } from "../support/short-pauses.ts";
import { begin, goodAnswer } from "../support/sign-in.ts";
import { upstream } from "../support/upstream.ts";

/** No answer takes longer than this, ms: the longest wait of ours for storage is a few seconds. */
const limit = 10_000;

const healthy = createInstance();
const service = upstream();
let person: Person;

shortenPauses();
beforeAll(async () => {
  person = await createPerson(healthy);
});

interface Answered {
  readonly status: number;
  readonly text: string;
}

/** Any answer but a crash: what is 5xx is a problem document that says what to do. */
async function answerOf(response: Response): Promise<Answered> {
  const text = await response.clone().text();
  if (response.status >= 500) {
    const { code } = z.object({ code: z.string() }).parse(JSON.parse(text));
    const known = Object.keys(faults).find((one): one is keyof typeof faults => one === code);
    if (known === undefined) throw new Error(`unknown code ${code}`);
    await problemOf(response, known);
  }
  return { status: response.status, text };
}

/** What one try needs, and what must be true after it. */
interface Try {
  readonly run: (faulty: Instance) => Promise<Response>;
  readonly patch?: Parameters<typeof createInstance>[1];
  readonly check: (answered: Answered) => Promise<void>;
}

/** Fails each storage operation of the work in turn, until there are no more; answers which there were. */
async function failEach(time: FaultTime, prepare: () => Promise<Try>): Promise<readonly string[]> {
  const operations: string[] = [];
  for (let at = 1; at <= 100; at += 1) {
    const { run, patch, check } = await prepare();
    const faulty = faultyEnv(at, time);
    const instance = createInstance(faulty.env, patch);
    const began = performance.now();
    const answered = await answerOf(await run(instance));
    expect(performance.now() - began, `operation ${at} ${faulty.fired()}`).toBeLessThan(limit);
    await check(answered).catch((cause: unknown) => {
      throw new Error(
        `after operation ${at} (${faulty.fired()}) failed ${time} executing, ${answered.text}`,
        { cause },
      );
    });
    const fired = faulty.fired();
    if (fired === undefined) return operations;
    operations.push(fired);
  }
  throw new Error("there is no end to the operations");
}

const post = (on: Instance, path: string, body: unknown): Promise<Response> =>
  on.fetch(path, {
    method: "POST",
    headers: { authorization: `Bearer ${person.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const works = async (path: string): Promise<void> => {
  const answer = await healthy.fetch(path, rpcCall());
  expect(await answer.text()).toContain('"result"');
};

const listed = async (label: string): Promise<boolean> =>
  (await (await person.call("GET", "/api/connections?limit=100")).text()).includes(label);

const secretPathIn = (text: string): string =>
  new URL(createdAnswer.pick({ credential: true }).loose().parse(JSON.parse(text)).credential.secret_url)
    .pathname;

describe.each<FaultTime>(["before", "after"])(
  "storage that fails %s executing, at each call in turn",
  (time) => {
    it("a proxied call: an answer, and the next call works", async () => {
      const { secretPath } = await person.connect({ url: service.url });
      const operations = await failEach(time, async () => ({
        run: async (on) => await on.fetch(secretPath, rpcCall()),
        check: async () => await works(secretPath),
      }));
      expect(operations).toContain("d1:first");
    });

    it("connecting with a key: 201 and it works, or nothing was promised", async () => {
      const operations = await failEach(time, async () => {
        const label = `key ${crypto.randomUUID()}`;
        const wanted = {
          service: "custom",
          url: service.url,
          fields: { api_key: "good-key" },
          storage: "managed",
          label,
        };
        return {
          run: async (on) => await post(on, "/api/connections", wanted),
          check: async ({ status, text }) => {
            if (status === 201) await works(secretPathIn(text));
            else expect(status).toBeGreaterThanOrEqual(500);
          },
        };
      });
      expect(operations.length).toBeGreaterThan(3);
    });

    it("finishing a sign-in: 201 and it works, or no token is left that nobody can find", async () => {
      const operations = await failEach(time, async () => {
        const provider = await createProvider(inject("hostileUrl"));
        const label = `sign-in ${provider.id}`;
        const begun = await begin(person, { service: "custom", url: provider.mcpUrl, label });
        return {
          run: async (on) => await post(on, "/api/connections/complete", goodAnswer(begun, provider)),
          check: async ({ status, text }) => {
            if (status === 201) return await works(secretPathIn(text));
            const wereGiven = (await provider.requests("/token")).length > 0;
            const wereRevoked = (await provider.requests("/revoke")).length > 0;
            expect(!wereGiven || wereRevoked || (await listed(label)), "tokens that nobody knows of").toBe(
              true,
            );
          },
        };
      });
      expect(operations.length).toBeGreaterThan(3);
    });

    it("T73 a call that renews: no grant is lost", async () => {
      const operations = await failEach(time, async () => {
        const world = await createWorld();
        const path = `/mcp/custom/${formatCredential(world.credential)}`;
        const outbound: Outbound = async (url, request) =>
          url.startsWith("https://mcp.example/")
            ? Response.json({ jsonrpc: "2.0", id: 7, result: {} })
            : await world.provider.outbound(url, request);
        const patch: Try["patch"] = (runtime) => ({ ...runtime, outbound, oauth: createOauthHttp(outbound) });
        return {
          patch,
          run: async (on) => await on.fetch(path, rpcCall()),
          check: async () => {
            await world.age(180_000);
            const answer = await createInstance({}, patch).fetch(path, rpcCall());
            expect(await answer.text()).toContain('"result"');
            expect(world.provider.alive, "a spent token came again").toBe(true);
            expect(world.provider.takes((await world.present()).grant.refresh_token)).toBe(true);
          },
        };
      });
      expect(operations.length).toBeGreaterThan(4);
    });

    it("T21 disconnecting: where it answered, nothing is forwarded; else it can be repeated", async () => {
      const operations = await failEach(time, async () => {
        const { id, secretPath } = await person.connect({ url: service.url });
        const path = `/api/connections/${id}`;
        return {
          run: async (on) =>
            await on.fetch(path, { method: "DELETE", headers: { authorization: `Bearer ${person.token}` } }),
          check: async ({ status }) => {
            if (status !== 200) expect((await person.call("DELETE", path)).status).toBe(200);
            await rpcErrorOf(await healthy.fetch(secretPath, rpcCall()), "unknown_credential");
          },
        };
      });
      expect(operations.length).toBeGreaterThan(2);
    });

    it("a list: all of it or a problem", async () => {
      const operations = await failEach(time, async () => ({
        run: async (on) =>
          await on.fetch("/api/connections", { headers: { authorization: `Bearer ${person.token}` } }),
        check: async ({ status }) => expect([200, 503]).toContain(status),
      }));
      expect(operations.length).toBeGreaterThan(0);
    });
  },
);
