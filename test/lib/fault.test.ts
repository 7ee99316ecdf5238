import { describe, expect, it } from "vitest";
import { Fault, faults, type FaultCode } from "../../src/lib/fault.ts";

const codes = Object.keys(faults).filter((code): code is FaultCode => code in faults);

describe("the table of faults", () => {
  it("has a status, a title and a sentence that says what to do for each code", () => {
    for (const code of codes) {
      const { status, title, detail } = faults[code];
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(status, code).toBeGreaterThanOrEqual(400);
      expect(status, code).toBeLessThan(600);
      expect(title, code).toMatch(/^[A-Z].*[^.]$/);
      expect(detail, code).toMatch(/[.}]$/);
    }
  });

  it("keeps to its own JSON-RPC codes: the specification reserves −32768…−32000 but for two", () => {
    const own = codes.filter((code) => faults[code].rpc > 0);
    for (const code of codes)
      expect(faults[code].rpc > 0 || [-32600, -32603].includes(faults[code].rpc), code).toBe(true);
    const numbers = own.map((code) => faults[code].rpc);
    expect(new Set(numbers).size, "each is one code's").toBe(numbers.length);
    for (const code of own)
      expect(String(faults[code].rpc), `${code}: its status begins it`).toMatch(
        new RegExp(`^${faults[code].status}\\d{1,2}$`),
      );
  });

  it("leaves no placeholder open, whatever it is given", () => {
    for (const code of codes) {
      expect(new Fault(code).detail, code).not.toMatch(/[{}]/);
      expect(new Fault(code, { params: { page: "", service: "$&" } }).detail).not.toMatch(/[{}]/);
    }
  });

  it("a parameter is text: it is not filled in itself", () => {
    const fault = new Fault("upstream_rejected", {
      params: { service: "{page}", page: "https://a.example" },
    });
    expect(fault.detail).toContain("{page} no longer accepts");
  });

  it("an error's message is its code alone", () => {
    expect(new Fault("key_rejected", { params: { service: "secret" } }).message).toBe("key_rejected");
  });
});
