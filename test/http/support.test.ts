import { describe, expect, inject, it } from "vitest";
import { z } from "zod";
import type { Canned } from "../support/canned.ts";
import { problemOf } from "../support/answers.ts";
import { captureConsole } from "../support/capture.ts";
import { createHelpDesk, zohoSettings } from "../support/desk.ts";
import { createInstance, type Instance } from "../support/instance.ts";
import { createPerson, type Person } from "../support/person.ts";
import { dump, edit } from "../support/storage.ts";

const hostile = inject("hostileUrl");
const given = z.strictObject({ nonce: z.string(), expires_at: z.iso.datetime() });
const me = z.object({ id: z.string() });
const hour = 3_600_000;

async function open() {
  const zoho = await createHelpDesk(hostile);
  const instance = createInstance({}, (runtime) => ({ ...runtime, desk: zoho.desk }));
  return { zoho, instance, person: await createPerson(instance) };
}

const nonceOf = async (person: Person) =>
  given.parse(await (await person.call("GET", "/api/support/nonce")).json()).nonce;

const send = async (person: Person, nonce: string, more: object = {}) =>
  await person.call("POST", "/api/support", { subject: "A question", message: "How?", nonce, ...more });

const rowsOf = async (instance: Instance) => (await dump(instance.env)).tables["support_nonces"] ?? [];

describe("a message to the operator", () => {
  it("becomes a ticket in the person's name, and the form is announced", async () => {
    const { zoho, instance, person } = await open();
    expect(await (await instance.fetch("/api/config")).json()).toMatchObject({ support_form: true });
    const before = Date.now();
    const answer = await person.call("GET", "/api/support/nonce");
    const { nonce, expires_at: end } = given.parse(await answer.json());
    expect(nonce).toMatch(/^[\w-]{43}$/);
    expect(Math.abs(Date.parse(end) - before - 600_000)).toBeLessThan(30_000);
    const sent = await send(person, nonce, { subject: " A question ", message: "One\nTwo" });
    expect([sent.status, await sent.json()]).toEqual([202, { status: "sent" }]);
    const { id } = me.parse(await (await person.call("GET", "/api/me")).json());
    const bodies = (await zoho.filed()).map(({ body }): unknown => JSON.parse(body));
    expect(bodies).toMatchObject([
      { subject: "A question", description: "One<br>Two", contact: { lastName: id } },
    ]);
  });

  it("counts once: its nonce is taken by the first of many at the same time", async () => {
    const { zoho, person } = await open();
    const nonce = await nonceOf(person);
    const answers = await Promise.all(Array.from({ length: 6 }, async () => await send(person, nonce)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      202, 409, 409, 409, 409, 409,
    ]);
    await problemOf(await send(person, nonce), "support_nonce_unknown");
    expect(await zoho.filed()).toHaveLength(1);
  });

  it("is not sent with somebody else's nonce, which stays good, nor an old or invented one", async () => {
    const { zoho, instance, person } = await open();
    const [nonce, other] = [await nonceOf(person), await createPerson(instance)];
    await problemOf(await send(other, nonce), "support_nonce_unknown");
    await problemOf(await send(person, "A".repeat(43)), "support_nonce_unknown");
    expect((await send(person, nonce)).status).toBe(202);
    const old = await nonceOf(person);
    await edit(
      instance.env,
      "UPDATE support_nonces SET expires_at = expires_at - 600000 WHERE used_at IS NULL",
    );
    await problemOf(await send(person, old), "support_nonce_unknown");
    expect(await zoho.filed()).toHaveLength(1);
  });

  it("is refused with a credential in it, whichever field holds it, and its nonce stays good", async () => {
    const { zoho, person } = await open();
    const nonce = await nonceOf(person);
    const { secretUrl, apiKey } = await person.connect({ url: `${inject("oddUrl")}/open/200` });
    for (const more of [
      { message: `It says no: ${secretUrl}` },
      { message: `(${apiKey})` },
      { subject: secretUrl },
    ]) {
      const { errors } = await problemOf(await send(person, nonce, more), "invalid_request");
      expect(errors?.map(({ path }) => path)).toEqual(Object.keys(more));
    }
    expect((await send(person, nonce)).status).toBe(202);
    expect(await zoho.filed()).toHaveLength(1);
  });

  it("is one of five in 24 hours, also where they come at the same time; others have their own five", async () => {
    const { zoho, instance, person } = await open();
    const other = await createPerson(instance);
    const [first = "", ...nonces] = await Promise.all(
      Array.from({ length: 8 }, async () => await nonceOf(person)),
    );
    expect((await send(person, first)).status).toBe(202);
    const { id } = me.parse(await (await person.call("GET", "/api/me")).json());
    const back =
      "UPDATE support_nonces SET used_at = used_at - ?2 WHERE user_id = ?1 AND used_at IS NOT NULL";
    await edit(instance.env, back, id, 23 * hour);
    const answers = await Promise.all(nonces.map(async (nonce) => await send(person, nonce)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      202, 202, 202, 202, 429, 429, 429,
    ]);
    const refused = await send(person, await nonceOf(person));
    const wait = Number(refused.headers.get("retry-after"));
    await problemOf(refused, "support_limit");
    expect(wait).toBeGreaterThan(3500);
    expect(wait).toBeLessThanOrEqual(3600);
    expect((await send(other, await nonceOf(other))).status).toBe(202);
    expect(await zoho.filed()).toHaveLength(6);
    await edit(instance.env, back, id, hour);
    expect((await send(person, await nonceOf(person))).status).toBe(202);
  });

  it.each<readonly [string, Canned]>([
    ["refuses the sign-in", { json: { error: "invalid_code" } }],
    ["does not answer", { reset: true }],
  ])("where Zoho %s: is not sent, says so, and does not count", async (_, canned) => {
    const { zoho, instance, person } = await open();
    await zoho.token(canned);
    for (let tried = 0; tried < 7; tried += 1) {
      const nonce = await nonceOf(person);
      const answer = await send(person, nonce);
      expect(answer.headers.get("retry-after")).toBe("60");
      await problemOf(answer, "support_unavailable");
      await problemOf(await send(person, nonce), "support_nonce_unknown");
    }
    expect(await zoho.filed()).toEqual([]);
    const { id } = me.parse(await (await person.call("GET", "/api/me")).json());
    expect((await rowsOf(instance)).filter((row) => row["user_id"] === id)).toEqual([]);
  });

  it.each([
    ["of which nobody knows whether it arrived", 500, "support_unconfirmed"],
    ["that the desk refused", 422, "support_unavailable"],
  ] as const)("%s counts", async (_, status, code) => {
    const { zoho, person } = await open();
    await zoho.tickets({ status });
    for (let tried = 0; tried < 5; tried += 1) {
      await problemOf(await send(person, await nonceOf(person)), code);
    }
    await problemOf(await send(person, await nonceOf(person)), "support_limit");
    expect(await zoho.filed()).toHaveLength(5);
  });

  it.each([
    ["an empty subject", { subject: " " }, "subject"],
    ["a subject of two lines", { subject: "a\r\nBcc: b" }, "subject"],
    ["a long subject", { subject: "x".repeat(121) }, "subject"],
    ["an empty message", { message: "\n" }, "message"],
    ["a long message", { message: "x".repeat(5001) }, "message"],
    ["control characters", { message: "a\u0000b" }, "message"],
    ["half a character", { message: "\ud800" }, "message"],
    ["a nonce of another shape", { nonce: "x" }, "nonce"],
  ])("with %s is refused, and its nonce stays good", async (_, more, path) => {
    const { zoho, person } = await open();
    const nonce = await nonceOf(person);
    const { errors } = await problemOf(await send(person, nonce, more), "invalid_request");
    expect(errors?.map((error) => error.path)).toEqual([path]);
    expect(await zoho.filed()).toEqual([]);
    expect((await send(person, nonce, { subject: "x".repeat(120), message: "😀".repeat(2500) })).status).toBe(
      202,
    );
  });

  it("comes from a person, not from a program of theirs", async () => {
    const { instance, person } = await open();
    const made = z.object({ secret: z.string() });
    const { secret } = made.parse(
      await (await person.call("POST", "/api/tokens", { name: "CI", scope: "manage" })).json(),
    );
    const headers = { authorization: `Bearer ${secret}` };
    await problemOf(await instance.fetch("/api/support/nonce", { headers }), "owner_only");
    await problemOf(await instance.fetch("/api/support", { method: "POST", headers }), "owner_only");
    await problemOf(await instance.fetch("/api/support/nonce"), "unauthenticated");
  });
});

describe("what stays of a message", () => {
  it("is neither in storage nor in the log, and neither are nonces, tokens and secrets", async () => {
    const capture = captureConsole();
    const texts = ["subject-canary-1", "message-canary-2"];
    let at = "";
    try {
      const { zoho, instance, person } = await open();
      const [subject, message] = texts;
      const nonces: string[] = [];
      const outcomes: number[] = [];
      for (const canned of [{ json: { id: "1" } }, { status: 500 }, { status: 422 }]) {
        await zoho.tickets(canned);
        const nonce = await nonceOf(person);
        nonces.push(nonce);
        outcomes.push((await send(person, nonce, { subject, message })).status);
      }
      expect(outcomes).toEqual([202, 502, 503]);
      texts.push(...nonces);
      at = JSON.stringify(await dump(instance.env)) + capture.lines.join("\n");
      expect((await zoho.filed()).filter(({ body }) => body.includes("message-canary-2"))).toHaveLength(3);
    } finally {
      capture.restore();
    }
    expect(capture.lines.map((line): unknown => JSON.parse(line))).toEqual([
      { level: "warn", event: "support_failed", reason: "unknown" },
      { level: "warn", event: "support_failed", reason: "refused" },
    ]);
    const { clientSecret, refreshToken } = zohoSettings;
    for (const text of [...texts, clientSecret, refreshToken, "1000.zoho-access-token-1"])
      expect(at).not.toContain(text);
  });

  it("goes a day later by the hourly job; unused nonces are few", async () => {
    const { instance, person } = await open();
    const nonces: string[] = [];
    for (let asked = 0; asked < 13; asked += 1) {
      nonces.push(await nonceOf(person));
      // The database's clock is in milliseconds: each is later than the one before.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const { id } = me.parse(await (await person.call("GET", "/api/me")).json());
    const own = async () => (await rowsOf(instance)).filter((row) => row["user_id"] === id);
    expect(await own()).toHaveLength(10);
    expect((await send(person, nonces.at(-1) ?? "")).status).toBe(202);
    await problemOf(await send(person, nonces[0] ?? ""), "support_nonce_unknown");
    const back =
      "UPDATE support_nonces SET expires_at = expires_at - ?2, used_at = used_at - ?2 WHERE user_id = ?1";
    await edit(instance.env, back, id, 24 * hour);
    await instance.cron("17 * * * *");
    expect(await own()).toHaveLength(10);
    await edit(instance.env, back, id, 601_000);
    await instance.cron("17 * * * *");
    expect(await own()).toEqual([]);
  });

  it("T89 goes with the account", async () => {
    const { instance, person } = await open();
    const { id } = me.parse(await (await person.call("GET", "/api/me")).json());
    await send(person, await nonceOf(person));
    await nonceOf(person);
    const answer = await person.call("DELETE", "/api/account", { confirm: "delete my account" });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(await rowsOf(instance))).not.toContain(id);
  });
});

describe("a deployment without a help desk", () => {
  it("hides the form, and its routes say that there is none", async () => {
    const instance = createInstance();
    const person = await createPerson(instance);
    expect(await (await instance.fetch("/api/config")).json()).toMatchObject({ support_form: false });
    await problemOf(await person.call("GET", "/api/support/nonce"), "support_not_configured");
    await problemOf(await send(person, "A".repeat(43)), "support_not_configured");
  });

  it("has one as soon as the settings are there, all of them", async () => {
    const all = {
      ZOHO_DESK_ORG_ID: "1",
      ZOHO_DESK_DEPARTMENT_ID: "2",
      ZOHO_REGION: "com.au",
      ZOHO_CLIENT_ID: "1000.A",
      ZOHO_CLIENT_SECRET: "s",
      ZOHO_REFRESH_TOKEN: "r",
    };
    const config = await createInstance(all).fetch("/api/config");
    expect(await config.json()).toMatchObject({ support_form: true });
    const lacking = await createInstance({ ...all, ZOHO_REFRESH_TOKEN: "" }).fetch("/api/config");
    expect((await problemOf(lacking, "misconfigured")).detail).toContain("ZOHO_REFRESH_TOKEN");
  });
});
