import { describe, expect, it } from "vitest";
import { z } from "zod";
import { app } from "../../src/app.ts";
import { operations } from "../../src/http/operations.ts";
import { createInstance } from "../support/instance.ts";
import { createPerson } from "../support/person.ts";
import { checkDocumented } from "../support/documented.ts";

const instance = createInstance();
const documentSchema = z.looseObject({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});
const read = async () => documentSchema.parse(await (await instance.fetch("/openapi.json")).json());

describe("/openapi.json", () => {
  it("has every route of the worker, and no other", async () => {
    const { paths } = await read();
    const documented = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routed = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(documented.toSorted()).toEqual([...new Set(routed)].toSorted());
  });

  it("is whole: each reference leads somewhere, ids are unique", async () => {
    const document = await read();
    const text = JSON.stringify(document);
    expect(document.openapi).toBe("3.1.0");
    for (const [, name = ""] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(document.components.schemas, name).toHaveProperty(name);
    }
    expect(text).not.toContain("$defs");
    const ids = Object.values(document.paths).flatMap((one) =>
      Object.values(one).map((operation) => operation.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("an answer that is not as documented would be found", async () => {
    const wrong = Response.json({ id: 5 });
    await expect(checkDocumented("GET", "/api/me", wrong)).rejects.toThrow(/not as documented/);
    await expect(checkDocumented("GET", "/api/me", Response.json({}, { status: 418 }))).rejects.toThrow();
    const more = { tokens: [], extra: true };
    await expect(checkDocumented("GET", "/api/tokens", Response.json(more))).rejects.toThrow(
      /not as documented/,
    );
  });

  it("T80 what it says of access is so: without a sign-in, and with a token that may only read", async () => {
    const person = await createPerson(instance);
    const made = z
      .object({ secret: z.string() })
      .parse(await (await person.call("POST", "/api/tokens", { name: "x", scope: "read" })).json());
    for (const { method, path, access } of operations) {
      const address = path.replace("{id}", "con_1");
      const headers = { "content-type": "application/json" };
      const init = { method: method.toUpperCase(), ...(method === "get" ? {} : { body: "{}" }) };
      const unsigned = await instance.fetch(address, { ...init, headers });
      expect([path, unsigned.status === 401]).toEqual([path, access !== "public"]);
      if (access === "public") continue;
      const authorization = `Bearer ${made.secret}`;
      const reading = await instance.fetch(address, { ...init, headers: { ...headers, authorization } });
      expect([method, path, reading.status === 403]).toEqual([method, path, access !== "read"]);
    }
  });
});

describe("pages of the worker's own", () => {
  it.each(["/docs", "/security"])(
    "T23 %s loads nothing, runs nothing and is framed by nobody",
    async (path) => {
      const answer = await instance.fetch(path);
      const text = await answer.text();
      const policy = answer.headers.get("content-security-policy") ?? "";
      expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'none'/);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(answer.headers.get("x-frame-options")).toBe("DENY");
      expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
      expect(text).not.toMatch(/<script|<img|<link|src=|style="|\son\w+="/);
      const sheet = /<style>(.*?)<\/style>/s.exec(text)?.[1] ?? "";
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sheet));
      const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
      expect(policy).toContain(`'sha256-${hash}'`);
      expect(text).toMatch(/<html lang="en">/);
      expect(text.match(/<h1/g)).toHaveLength(1);
    },
  );

  it("/security says what counts", async () => {
    const text = await (await instance.fetch("/security")).text();
    for (const part of ["512 bits", "What is not protected", "30 days", "Safe harbour", "Managed"]) {
      expect(text).toContain(part);
    }
  });

  it("T93 their invocations may write to the console, so no credential is taken there", async () => {
    const person = await createPerson(instance);
    const answer = await instance.fetch("/docs", { headers: { authorization: `Bearer ${person.token}` } });
    expect(answer.status).toBe(200);
  });
});
