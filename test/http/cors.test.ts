import { describe, expect, it } from "vitest";
import { createInstance } from "../support/instance.ts";

const instance = createInstance();

describe("CORS", () => {
  const preflight = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
  };

  it("T83 the dashboard's own origin is answered exactly, with Vary", async () => {
    const origin = instance.env.ADMIN_URL;
    const answer = await instance.fetch("/api/connections", {
      method: "OPTIONS",
      headers: { origin, ...preflight },
    });
    expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
    expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    const real = await instance.fetch("/api/config", { headers: { origin } });
    expect(real.headers.get("access-control-allow-origin")).toBe(origin);
    expect(real.headers.get("vary")).toMatch(/origin/i);
    const exposed = real.headers.get("access-control-expose-headers") ?? "";
    for (const name of ["retry-after", "idempotent-replayed", "content-disposition"]) {
      expect(exposed).toContain(name);
    }
  });

  it.each([
    "https://evil.example",
    "null",
    "http://127.0.0.1:8787.evil.example",
    "http://127.0.0.1",
    "HTTP://127.0.0.1:8787",
  ])("T83 %s is not answered", async (origin) => {
    for (const init of [{ method: "OPTIONS", headers: { origin, ...preflight } }, { headers: { origin } }]) {
      const answer = await instance.fetch("/api/config", init);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});
