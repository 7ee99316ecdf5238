import { describe, expect, inject, it } from "vitest";
import { writeMail } from "../../src/mail/text.ts";
import type { Canned } from "../support/canned.ts";
import { clerkSubjectIssuer, createPost, taken } from "../support/mail.ts";

const hostile = inject("hostileUrl");
const text = writeMail("anomaly", {
  brand: "Bindify",
  link: "https://bindify.example/",
  service: "Linear",
  label: null,
  detail: {},
});

describe("handing a mail to SMTP2GO", () => {
  it("sends sender, address, subject and both bodies, with the key in the header alone", async () => {
    const post = await createPost(hostile);
    expect(await post.mailer.send("owner@example.com", text)).toBe("sent");
    const [request] = await post.posted();
    expect(request?.headers["x-smtp2go-api-key"]).toBe("api-0123456789ABCDEF0123456789ABCDEF");
    expect(request?.body).not.toContain("api-0123456789");
    expect(await post.mails()).toEqual([
      {
        sender: "Bindify <mail@bindify.example>",
        to: ["owner@example.com"],
        subject: text.subject,
        text_body: text.text,
        html_body: text.html,
      },
    ]);
  });

  const answers: readonly (readonly [string, Canned, string])[] = [
    ["taken", taken, "sent"],
    ["its address refused", { json: { data: { succeeded: 0, failed: 1, failures: ["no"] } } }, "refused"],
    ["400", { status: 400, json: { data: { error_code: "E_ApiResponseCodes.X" } } }, "refused"],
    ["404", { status: 404 }, "refused"],
    ["401", { status: 401 }, "account"],
    ["402", { status: 402 }, "account"],
    ["403", { status: 403 }, "account"],
    ["429", { status: 429 }, "account"],
    ["408", { status: 408 }, "no_answer"],
    ["500", { status: 500 }, "no_answer"],
    ["a redirect", { status: 302, headers: { location: "https://evil.example" } }, "no_answer"],
    ["no JSON", { text: "<html>" }, "no_answer"],
    ["JSON of another shape", { json: { ok: true } }, "no_answer"],
    ["a flood", { json: {}, padding: 2_000_000 }, "no_answer"],
    ["a broken connection", { reset: true }, "no_answer"],
  ];

  it.each(answers)("%s", async (_, answer, expected) => {
    const post = await createPost(hostile);
    await post.answer(answer);
    expect(await post.mailer.send("owner@example.com", text)).toBe(expected);
  });
});

const clerkUser = (status: string) => ({
  json: {
    id: "user_1",
    primary_email_address_id: "idn_2",
    email_addresses: [
      { id: "idn_1", email_address: "other@example.com", verification: { status: "verified" } },
      { id: "idn_2", email_address: "primary@example.com", verification: { status } },
    ],
  },
});

describe("the address of a mail", () => {
  const person = { user_id: "usr_1", email: null, issuer: clerkSubjectIssuer, subject: "user_1" };
  it("is the one of the sign-in, and Clerk is not asked", async () => {
    const post = await createPost(hostile);
    expect(await post.mailer.addressOf({ ...person, email: "own@example.com" })).toEqual({
      to: "own@example.com",
    });
  });

  it("is else the verified primary one of Clerk's record", async () => {
    const post = await createPost(hostile);
    await post.clerk("user_1", clerkUser("verified"));
    expect(await post.mailer.addressOf(person)).toEqual({ to: "primary@example.com" });
    await post.clerk("user_1", clerkUser("unverified"));
    expect(await post.mailer.addressOf(person)).toBe("none");
  });

  it("is none where Clerk knows nobody, and unknown where Clerk does not answer as it should", async () => {
    const post = await createPost(hostile);
    expect(await post.mailer.addressOf(person)).toBe("none");
    for (const canned of [{ status: 500 }, { text: "<html>" }, { json: { id: 1 } }, { reset: true }]) {
      await post.clerk("user_1", canned);
      expect(await post.mailer.addressOf(person)).toBe("no_answer");
    }
  });

  it("another issuer's subject is not asked for at Clerk, nor one at all without its key", async () => {
    const post = await createPost(hostile);
    await post.clerk("user_1", clerkUser("verified"));
    expect(await post.mailer.addressOf({ ...person, issuer: "https://other.example" })).toBe("none");
    const without = await createPost(hostile, { clerk: undefined });
    expect(await without.mailer.addressOf(person)).toBe("none");
  });

  it("several addresses, or a header, in a claim are none", async () => {
    const post = await createPost(hostile, { clerk: undefined });
    for (const email of [
      "a@example.com, b@example.com",
      "a@example.com\r\nBcc: b@example.com",
      "A <a@b.example>",
      "",
    ]) {
      expect(await post.mailer.addressOf({ ...person, email })).toBe("none");
    }
  });

  it("of the administrator is the configured one", async () => {
    const nobody = { user_id: null, email: null, issuer: null, subject: null };
    expect(await (await createPost(hostile)).mailer.addressOf(nobody)).toEqual({
      to: "admin@bindify.example",
    });
    expect(await (await createPost(hostile, { admin: undefined })).mailer.addressOf(nobody)).toBe("none");
  });
});
