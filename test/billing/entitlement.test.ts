import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entitlementOf, nextLook, paymentGrace, type PlanFacts } from "../../src/billing/entitlement.ts";
import { day } from "../../src/lib/clock.ts";

const billing = { trial: 5 * day };
const since = 1_800_000_000_000;
const late = since + 60 * day;
const none: PlanFacts = {
  status: "none",
  quantity: 0,
  period_end: null,
  cancel_at: null,
  past_due_since: null,
  paid_until: null,
};
const active: PlanFacts = { ...none, status: "active", quantity: 3, period_end: late + 10 * day };
const plan = (...parts: readonly PlanFacts[]): PlanFacts => ({ ...(parts[0] ?? none), parts });
const of = (facts: PlanFacts | null, now: number) => entitlementOf({ billing, since, facts, now });

describe("the entitlement", () => {
  it("is everything where there is no billing", () => {
    expect(entitlementOf({ billing: null, since, facts: { ...none, status: "unpaid" }, now: late })).toEqual({
      plan: "self_hosted",
      allowed: Infinity,
      until: null,
      reason: "billing_off",
    });
  });

  it("is everything in the trial, to its last millisecond, and nothing after", () => {
    const end = since + 5 * day;
    expect(of(null, end - 1)).toEqual({ plan: "trial", allowed: Infinity, until: end, reason: "trial" });
    expect(of(null, end)).toEqual({ plan: "none", allowed: 0, until: null, reason: "trial_ended" });
    expect(of(none, end - 1).plan, "a customer who has not bought").toBe("trial");
    expect(of({ ...none, status: "incomplete" }, end - 1).plan).toBe("trial");
    expect(of({ ...none, status: "incomplete" }, end).reason).toBe("trial_ended");
  });

  it.each(["active", "trialing"])("%s is the quantity", (status) => {
    expect(of({ ...active, status }, late)).toEqual({
      plan: "active",
      allowed: 3,
      until: active.period_end,
      reason: "paid",
    });
  });

  it("of an active subscription goes on though its renewal was not heard of, however long", () => {
    expect(of(active, late + 400 * day)).toMatchObject({ plan: "active", allowed: 3 });
  });

  it("of a cancelled one lasts until the day that is paid for", () => {
    const cancelled = { ...active, cancel_at: active.period_end };
    expect(of(cancelled, late)).toMatchObject({ plan: "cancelled", allowed: 3, until: active.period_end });
    expect(of(cancelled, late + 10 * day + day - 1).allowed, "until Stripe confirms, for a day").toBe(3);
    expect(of(cancelled, late + 11 * day)).toMatchObject({ plan: "none", reason: "subscription_ended" });
    const over = { ...active, status: "canceled", paid_until: late + day };
    expect(of(over, late)).toMatchObject({ plan: "cancelled", allowed: 3, until: late + day });
    expect(of(over, late + day)).toMatchObject({ plan: "none", allowed: 0 });
  });

  it.each(["past_due", "unpaid", "canceled"])("of a missed payment (%s) lasts for three days", (status) => {
    const owing = { ...active, status, past_due_since: late };
    expect(of(owing, late + paymentGrace - 1)).toEqual({
      plan: "past_due",
      allowed: 3,
      until: late + 3 * day,
      reason: "payment_missing",
    });
    expect(of(owing, late + paymentGrace)).toMatchObject({ plan: "none", allowed: 0 });
  });

  describe("of several subscriptions", () => {
    const owing: PlanFacts = { ...active, status: "past_due", quantity: 5, past_due_since: late };
    const over: PlanFacts = { ...active, status: "canceled", quantity: 10, paid_until: late + 9 * day };
    const unpaid: PlanFacts = { ...owing, status: "canceled", quantity: 2, past_due_since: late - 9 * day };

    it("is the sum of what each gives, until the first of them changes", () => {
      expect(of(plan(active, owing), late)).toEqual({
        plan: "active",
        allowed: 8,
        until: late + paymentGrace,
        reason: "paid",
      });
      expect(of(plan(active, owing), late + paymentGrace)).toMatchObject({ plan: "active", allowed: 3 });
      expect(of(plan(active, over), late).allowed).toBe(13);
      expect(of(plan(unpaid, over), late)).toMatchObject({ plan: "cancelled", allowed: 10 });
      expect(of(plan(unpaid, over), late + 9 * day)).toMatchObject({ plan: "none", allowed: 0 });
    });

    it("is looked at again as the first of them changes", () => {
      const facts = plan(active, over);
      const next = nextLook(of(facts, late), facts, late);
      expect(next).toBeLessThan(late + 10 * day);
      expect(next).toBeGreaterThanOrEqual(late + 9 * day);
    });
  });

  it("is nothing for words of Stripe's that are not known", () => {
    expect(of({ ...active, status: "something_new" }, late)).toMatchObject({ plan: "none", allowed: 0 });
  });
});

const one = fc.record({
  status: fc.constantFrom(
    "none",
    "active",
    "trialing",
    "past_due",
    "unpaid",
    "canceled",
    "paused",
    "incomplete",
  ),
  quantity: fc.integer({ min: 1, max: 20 }),
  period_end: fc.option(fc.integer({ min: late - 90 * day, max: late + 90 * day })),
  cancel_at: fc.option(fc.integer({ min: late - 90 * day, max: late + 90 * day })),
  past_due_since: fc.option(fc.integer({ min: late - 9 * day, max: late })),
  paid_until: fc.option(fc.integer({ min: late - 9 * day, max: late + 90 * day })),
});

const facts: fc.Arbitrary<PlanFacts> = fc
  .tuple(one, fc.option(fc.array(one, { minLength: 1, maxLength: 3 })))
  .map(([row, more]) => ({ ...row, parts: more === null ? null : [row, ...more] }));

describe("properties", () => {
  it("who pays has what they pay for, whatever else is in the row", () => {
    fc.assert(
      fc.property(one, fc.integer({ min: 0, max: 400 * day }), (row, passed) => {
        const paid: PlanFacts = { ...row, status: "active", cancel_at: null };
        expect(of(paid, since + passed)).toMatchObject({ plan: "active", allowed: row.quantity });
      }),
    );
  });

  it("time takes away and gives nothing: only Stripe's word does", () => {
    fc.assert(
      fc.property(facts, fc.nat(200 * day), fc.nat(200 * day), (row, first, more) => {
        const [before, after] = [of(row, since + 6 * day + first), of(row, since + 6 * day + first + more)];
        expect(after.allowed).toBeLessThanOrEqual(before.allowed);
      }),
    );
  });

  it("somebody looks again at the moment when time changes the plan, and never in the past", () => {
    fc.assert(
      fc.property(facts, fc.nat(200 * day), (row, passed) => {
        const now = since + passed;
        const entitlement = of(row, now);
        const next = nextLook(entitlement, row, now);
        if (next !== null) expect(next).toBeGreaterThanOrEqual(now);
        if (entitlement.allowed > 0) expect(next).not.toBeNull();
      }),
    );
  });
});
