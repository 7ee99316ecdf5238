import { describe, expect, it } from "vitest";
import { checkDestination, isLoopback, type DestinationPolicy } from "../../src/lib/destination.ts";
import { Deadline } from "../../src/lib/deadline.ts";
import { createOutbound, OutboundError } from "../../src/lib/outbound.ts";
import { allowedUrls, deniedUrls, misshapenUrls } from "../support/hosts.ts";

const hosted: DestinationPolicy = { allowLoopback: false, ownHosts: ["bindify.example", "admin.example"] };
const local: DestinationPolicy = { allowLoopback: true, ownHosts: ["127.0.0.1:8787"] };

describe("T50 T53 where requests may go", () => {
  it.each(deniedUrls)("%s is denied", (url) => {
    const verdict = checkDestination(url, hosted);
    // The parser itself refuses some of them; either way nothing goes there.
    expect(verdict.ok).toBe(false);
    if (URL.canParse(url)) expect(verdict).toEqual({ ok: false, reason: "denied" });
  });

  it.each(misshapenUrls)("%j is told to be misshapen", (url) => {
    expect(checkDestination(url, hosted)).toMatchObject({ ok: false, reason: "shape" });
  });

  it.each(allowedUrls)("%s is allowed", (url) => {
    expect(checkDestination(url, hosted)).toMatchObject({ ok: true });
  });

  it("a message repeats nothing of the address", () => {
    for (const url of ["https://user:s3cret@mcp.example.com/", "s3cret", "ftp://s3cret.example"]) {
      expect(JSON.stringify(checkDestination(url, hosted))).not.toContain("s3cret");
    }
  });
});

describe("local mode", () => {
  it.each([
    "http://127.0.0.1:1/",
    "http://localhost:9000/mcp",
    "https://localhost:9000/",
    "http://[::1]:9000/",
    "http://127.0.0.2/",
  ])("allows %s", (url) => {
    expect(checkDestination(url, local)).toMatchObject({ ok: true });
  });

  it.each([
    "http://127.0.0.1:8787/",
    "http://localhost:8787/mcp/x",
    "http://[::1]:8787/",
    "https://127.0.0.1:8787/",
    "http://127.0.0.2:8787/",
  ])("T53 does not allow itself at %s", (url) => {
    expect(checkDestination(url, local)).toEqual({ ok: false, reason: "denied" });
  });

  it.each([
    "https://10.0.0.1/",
    "https://169.254.169.254/",
    "https://app.localhost/",
    "https://db.internal/",
  ])("T50 still denies %s", (url) => {
    expect(checkDestination(url, local)).toEqual({ ok: false, reason: "denied" });
  });

  it("T53 knows itself at an IPv6 address too", () => {
    const own = { allowLoopback: true, ownHosts: ["[::1]:8787"] };
    for (const url of ["http://[::1]:8787/", "http://127.0.0.1:8787/"]) {
      expect(checkDestination(url, own)).toEqual({ ok: false, reason: "denied" });
    }
    expect(checkDestination("http://[::1]:8788/", own)).toMatchObject({ ok: true });
  });

  it("is about addresses, not names that resemble them", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) expect(isLoopback(host)).toBe(true);
    for (const host of ["127.0.0.1.nip.io", "localhost.evil.example", "10.0.0.1", "", "0.0.0.0"])
      expect(isLoopback(host)).toBe(false);
  });
});

describe("T51 the only way out", () => {
  it("asks the same guard for every address", async () => {
    const outbound = createOutbound(hosted);
    for (const url of [...deniedUrls, ...misshapenUrls]) {
      const attempt = outbound(url, { method: "GET", headers: {}, deadline: new Deadline(50) });
      await expect(attempt).rejects.toBeInstanceOf(OutboundError);
      await expect(attempt).rejects.toMatchObject({ failure: "denied", message: "denied" });
    }
  });
});
