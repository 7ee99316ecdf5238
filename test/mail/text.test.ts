import { describe, expect, it } from "vitest";
import { writeMail } from "../../src/mail/text.ts";
import type { MailKind } from "../../src/store/mail.ts";

const facts = {
  brand: "Bindify",
  link: "https://bindify.example/#/again/con_1",
  service: "Linear",
  label: "Work",
  detail: {},
};

const kinds: Readonly<Record<MailKind, true>> = {
  master_key_missing: true,
  reauth_needed: true,
  reauth_reminder: true,
  subscription_confirmed: true,
  payment_failed: true,
  connections_suspended: true,
  connections_restored: true,
  anomaly: true,
};

describe("the texts of mail", () => {
  it.each(Object.keys(kinds).filter((kind): kind is MailKind => kind in kinds))(
    "%s has a subject, both forms and the link, also where nothing is known",
    (kind) => {
      for (const known of [facts, { ...facts, service: null, label: null }]) {
        const { subject, text, html } = writeMail(kind, known);
        expect(subject.length).toBeGreaterThan(10);
        expect(text).toContain(known.link);
        expect(html).toContain(`href="${known.link}"`);
        expect(`${subject}${text}${html}`).not.toMatch(/undefined|null|\[object|\bNaN\b/);
      }
    },
  );

  it("names the missing key by its fingerprint", () => {
    const detail = { fingerprint: "00112233aabbccdd" };
    expect(writeMail("master_key_missing", { ...facts, detail }).text).toContain("00112233aabbccdd");
  });

  it.each([
    [{ kind: "many_calls", calls: 900, busiest_day: 20 }, /900 calls in one day.* had 20\./],
    [{ kind: "many_renewals", renewals: 70, busiest_day: 2 }, /renewed 70 times.* was 2\./],
    [{ kind: "many_refusals", refusals: 55, calls: 60 }, /55 of 60 calls/],
    [{ kind: "after_silence", days: 90 }, /after 90 days/],
  ])("says what was unusual: %j", (detail, words) => {
    expect(writeMail("anomaly", { ...facts, detail }).text).toMatch(words);
  });

  it("names the connection by its service and the person's own name for it", () => {
    expect(writeMail("reauth_needed", facts).text).toContain("“Work” (Linear)");
    expect(writeMail("reauth_needed", { ...facts, label: "Linear" }).text).toContain("to Linear");
  });

  it("a label is text: it writes no HTML and no further line", () => {
    const label = `</p><a href="https://evil.example">x</a>&\r\nBcc: all@example.com\u2028next`;
    const { subject, text, html } = writeMail("anomaly", { ...facts, label, service: `A\nB` });
    expect(html).not.toContain('<a href="https://evil.example"');
    expect(html).toContain(
      "&lt;a href=&quot;https://evil.example&quot;&gt;x&lt;/a&gt;&amp; Bcc: all@example.com next",
    );
    expect(subject).not.toMatch(/[\r\n]/);
    expect(text).not.toMatch(/^Bcc/m);
  });
});
