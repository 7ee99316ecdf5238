import { describe, expect, inject, it } from "vitest";
import type { Canned } from "../support/canned.ts";
import { createHelpDesk, goodToken, zohoSettings } from "../support/desk.ts";

const hostile = inject("hostileUrl");
const ticket = {
  subject: "A question",
  message: "How do I …?",
  person: { id: "usr_1", email: "ada@example.com", name: "Ada" },
};

describe("filing a ticket at Zoho Desk", () => {
  it("renews the token, names the organization and the department, and keeps secrets out of the body", async () => {
    const zoho = await createHelpDesk(hostile);
    expect(await zoho.desk.file(ticket)).toBe("filed");
    const [signIn] = await zoho.signIns();
    expect(Object.fromEntries(new URLSearchParams(signIn?.body))).toEqual({
      grant_type: "refresh_token",
      client_id: zohoSettings.clientId,
      client_secret: zohoSettings.clientSecret,
      refresh_token: zohoSettings.refreshToken,
    });
    expect(signIn?.query).toBe("");
    const [filed] = await zoho.filed();
    expect(filed?.headers).toMatchObject({
      orgid: "60001",
      authorization: "Zoho-oauthtoken 1000.zoho-access-token-1",
    });
    expect(JSON.parse(filed?.body ?? "")).toEqual({
      departmentId: "7000000000001",
      subject: "A question",
      description: "How do I …?",
      channel: "Web",
      contact: { lastName: "Ada", email: "ada@example.com" },
      email: "ada@example.com",
    });
  });

  it("sends no markup of the person's, and names whoever has no address by their id", async () => {
    const zoho = await createHelpDesk(hostile);
    const person = { id: "usr_1", email: "ada@localhost", name: null };
    await zoho.desk.file({ subject: "x", message: `<img src="x" onerror='y'> &amp;\r\nz`, person });
    const [filed] = await zoho.filed();
    expect(JSON.parse(filed?.body ?? "")).toEqual({
      departmentId: "7000000000001",
      subject: "x",
      description: "&lt;img src=&quot;x&quot; onerror=&#39;y&#39;&gt; &amp;amp;<br>z",
      channel: "Web",
      contact: { lastName: "usr_1" },
    });
  });

  it("goes to the region's own hosts, also where they have another name", async () => {
    const zoho = await createHelpDesk(hostile, { region: "ca" }, undefined, "zohocloud.ca");
    expect(await zoho.desk.file(ticket)).toBe("filed");
    const elsewhere = await createHelpDesk(hostile, { region: "in" });
    expect(await elsewhere.desk.file(ticket)).toBe("no_answer");
  });

  it.each([
    ["seconds", { expires_in: 600 }],
    ["milliseconds, and seconds beside them", { expires_in: 600_000, expires_in_sec: 600 }],
  ])("uses a token until its last minute, given in %s", async (_, life) => {
    let now = 1_000_000;
    const zoho = await createHelpDesk(hostile, {}, () => now);
    await zoho.token(goodToken("1000.first", life));
    await zoho.desk.file(ticket);
    now += 539_000;
    await zoho.desk.file(ticket);
    expect(await zoho.signIns()).toHaveLength(1);
    now += 2000;
    await zoho.token(goodToken("1000.second", life));
    await zoho.desk.file(ticket);
    const used = (await zoho.filed()).map(({ headers }) => headers["authorization"]);
    expect(used).toEqual(
      ["1000.first", "1000.first", "1000.second"].map((text) => `Zoho-oauthtoken ${text}`),
    );
  });

  it("gets another token, once, where the one that it holds is not taken; then leaves Zoho alone", async () => {
    const zoho = await createHelpDesk(hostile);
    await zoho.tickets({ status: 401, json: { errorCode: "INVALID_OAUTH", message: "…" } });
    expect(await zoho.desk.file(ticket)).toBe("sign_in");
    expect(await zoho.desk.file(ticket)).toBe("sign_in");
    expect(await zoho.signIns()).toHaveLength(2);
    expect(await zoho.filed()).toHaveLength(2);
  });

  const refusals: readonly (readonly [string, Canned, string])[] = [
    ["a refused refresh token, with status 200", { json: { error: "invalid_code" } }, "sign_in"],
    ["a refused client", { status: 400, json: { error: "invalid_client" } }, "sign_in"],
    ["no token in the answer", { json: { expires_in: 3600 } }, "no_answer"],
    ["a token that would break a header", goodToken("a\r\nx: y"), "no_answer"],
    ["a page", { text: "<html>" }, "no_answer"],
    ["a flood", { json: {}, padding: 2_000_000 }, "no_answer"],
    ["a redirect", { status: 302, headers: { location: "https://evil.example" } }, "no_answer"],
    ["a broken connection", { reset: true }, "no_answer"],
  ];

  it.each(refusals)(
    "%s: nothing is filed, and Zoho is left alone for a minute",
    async (_, canned, expected) => {
      let now = 1_000_000;
      const zoho = await createHelpDesk(hostile, {}, () => now);
      await zoho.token(canned);
      expect(await zoho.desk.file(ticket)).toBe(expected);
      now += 59_000;
      expect(await zoho.desk.file(ticket)).toBe(expected);
      expect(await zoho.signIns()).toHaveLength(1);
      expect(await zoho.filed()).toEqual([]);
      now += 2000;
      await zoho.token(goodToken("1000.good"));
      expect(await zoho.desk.file(ticket)).toBe("filed");
    },
  );

  it.each<readonly [string, Canned, string]>([
    ["422", { status: 422, json: { errorCode: "INVALID_DATA" } }, "refused"],
    ["403", { status: 403, json: { errorCode: "SCOPE_MISMATCH" } }, "refused"],
    ["a redirect", { status: 302, headers: { location: "https://evil.example" } }, "refused"],
    ["429", { status: 429 }, "no_answer"],
    ["500", { status: 500 }, "unknown"],
    ["a ticket without an id", { json: {} }, "unknown"],
    ["a page", { text: "<html>" }, "unknown"],
    ["a broken connection", { reset: true }, "unknown"],
  ])("a ticket answered with %s", async (_, canned, expected) => {
    const zoho = await createHelpDesk(hostile);
    await zoho.tickets(canned);
    expect(await zoho.desk.file(ticket)).toBe(expected);
    expect(await zoho.filed()).toHaveLength(1);
  });
});
