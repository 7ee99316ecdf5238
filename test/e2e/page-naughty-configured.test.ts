import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { escapeHtml } from "../../src/lib/html.ts";
import { viewports } from "../support/node/browser.ts";
import { skipWithoutBrowser, useBrowser } from "../support/node/browser-suite.ts";
import { startHostileServer, type HostileServer } from "../support/node/hostile-server.ts";
import { startInstance, type Instance } from "../support/node/instance.ts";
import {
  expectNarrow,
  field,
  refuseAll,
  send,
  sharp,
  typable,
  type,
  watched,
} from "../support/node/naughty-page.ts";
import { button, heading } from "../support/node/page.ts";
import { payAtDouble, type PayingInstance } from "../support/node/paying.ts";
import { requestsWith, setRoutes } from "../support/provider.ts";
import { zohoTicket, zohoToken } from "../support/zoho.ts";

let zoho: HostileServer;
let supported: Instance;
let paying: PayingInstance;

beforeAll(async () => {
  zoho = await startHostileServer();
  supported = await startInstance({
    demo: false,
    variables: {
      ZOHO_DESK_ORG_ID: "60001",
      ZOHO_DESK_DEPARTMENT_ID: "7000000000001",
      ZOHO_REGION: "eu",
      ZOHO_CLIENT_ID: "1000.CLIENT",
      ZOHO_CLIENT_SECRET: "zoho-client-secret-0123456789",
      ZOHO_REFRESH_TOKEN: "1000.zoho-refresh-token-0123456789",
    },
    hosts: { "accounts.zoho.eu": zoho.url, "desk.zoho.eu": zoho.url },
  });
  await setRoutes(zoho.url, {
    "POST /oauth/v2/token": { json: zohoToken("1000.zoho-access-token") },
    "POST /api/v1/tickets": { json: zohoTicket },
  });
  paying = await payAtDouble({ demo: false, page: true });
});

afterAll(async () => {
  await paying.close();
  await supported.close();
  await zoho.close();
});

const chromium = useBrowser();

skipWithoutBrowser();

const ticketSchema = z.object({ subject: z.string(), description: z.string() });
const quantitySchema = z.object({ quantity: z.number() });

/** A ticket holds lines of text, and no other control characters. */
const writable = typable.filter((text) => text.trim() !== "" && !/[^\P{Cc}\t\r\n]/u.test(text));
const lines = writable.join("\n").replaceAll("\r", "\n");
const letter = `  ${lines}\n\n\tindented\n    more\n</textarea><script>alert(1)</script>`;

describe("naughty text in a message for support", () => {
  it("reaches the desk to the letter, line by line, and as no markup", async () => {
    const { context, page, quiet } = await watched(chromium.browser, supported, "asker");
    // As many as a person may send in a day.
    const subjects = [...sharp.slice(0, 4), "💥".repeat(120)];
    for (const subject of subjects) {
      await page.goto(`${supported.url}/#/`);
      await page.goto(`${supported.url}/#/support`);
      const message = page.getByLabel("Message");
      await message.fill(letter);
      expect(await message.inputValue()).toBe(letter);
      expect(await type(field(page, "subject"), subject)).toBe(subject);
      const { sent } = await send(page, "POST", () => button(page, "Send").click());
      expect(sent).toMatchObject({ subject, message: letter.trim() });
      await page.getByText("Your message is on its way").waitFor();
    }
    const filed = await requestsWith(zoho.url, "/api/v1/tickets");
    const tickets = filed.map(({ body }) => ticketSchema.parse(JSON.parse(body)));
    const description = escapeHtml(letter.trim()).replaceAll("\n", "<br>");
    expect(tickets).toEqual(subjects.map((subject) => ({ subject, description })));
    expect(description.replaceAll("<br>", "")).not.toMatch(/[<>]/);
    quiet();
    await context.close();
  });

  it("is refused beside its field, and what was written stays", async () => {
    const { context, page, quiet } = await watched(chromium.browser, supported, "writer", {
      viewport: viewports.phone,
    });
    await page.goto(`${supported.url}/#/support`);
    await heading(page, "Support").waitFor();
    const unwritable = typable.filter((text) => text.trim() === "" || /[^\P{Cc}\t\r\n]/u.test(text));
    expect(unwritable.length).toBeGreaterThan(3);
    const long = ["x".repeat(5001), `${"💥".repeat(4000)}\n${"x".repeat(1000)}`];
    const outcomes = await refuseAll(page, ["subject", "message"], [...unwritable, ...long]);
    for (const { beside } of outcomes) expect(beside.filter((sentence) => sentence === "")).toEqual([]);
    await expectNarrow(page, "refused");
    // Of a long text nothing is cut off before anybody says that it is too long.
    const message = page.getByLabel("Message");
    for (const text of long) {
      await message.fill(text);
      expect((await message.inputValue()).length).toBe(text.length);
    }
    expect(await type(field(page, "subject"), "x".repeat(121))).toHaveLength(121);
    quiet();
    await context.close();
  });
});

describe("naughty text in place of a number to pay for", () => {
  it("is a whole number, or nothing is sent and it is said", async () => {
    const { context, page, quiet } = await watched(chromium.browser, paying.instance, "payer", {
      viewport: viewports.phone,
    });
    const problem = { title: "Later", status: 429, code: "rate_limited", detail: "Not now." };
    const sent: number[] = [];
    await page.route("**/api/billing/checkout", async (route) => {
      sent.push(quantitySchema.parse(route.request().postDataJSON()).quantity);
      await route.fulfill({ status: 429, json: problem });
    });
    await page.goto(`${paying.instance.url}/#/billing`);
    const input = field(page, "quantity");
    await input.waitFor();
    const numbers = ["1e309", "-0", "-1", "0", "1.5", "1,5", "１２", "0x10", "1e3", "10001", "+7", "١٢", "7"];
    for (const text of [...sharp, ...numbers]) {
      await input.fill("");
      await input.focus();
      await page.keyboard.insertText(text);
      const before = sent.length;
      const value = await input.inputValue();
      await button(page, "Pay at Stripe").click();
      const whole = /^\d+$/.test(value) || (Number.isInteger(Number(value)) && value !== "");
      const good = whole && Number(value) >= 1 && Number(value) <= 10_000;
      if (good) await expect.poll(() => sent.slice(before)).toEqual([Number(value)]);
      else expect([text, value, sent.slice(before)]).toEqual([text, value, []]);
      expect(await input.inputValue()).toBe(value);
      if (good) await page.getByText("Not now.").waitFor();
      await expectNarrow(page, text);
    }
    expect(sent.length).toBeGreaterThan(0);
    quiet();
    await context.close();
  });
});
