/** A plan in a person's words. */
import type { Billing } from "./billing-schemas.ts";
import { count, dateWords, fullTime, plural, type Tone } from "./format.ts";

interface PlanWords {
  words: string;
  tone: Tone;
  /** What it means for the connections. */
  text: string;
}

const nothingLost =
  "Nothing of a suspended connection is deleted: once it is paid for again, it goes on as before.";

export function describePlan({ plan }: Billing, now = Date.now()): PlanWords {
  const { until, reason } = plan;
  const paidFor = plural(plan.allowed ?? 0, "connection");
  switch (plan.name) {
    case "trial":
      return {
        words: `Free trial, ${until === null ? "running" : trialDays(until, now)}`,
        tone: "good",
        text: `Everything is free${until === null ? "" : ` until ${fullTime(until)}`}. After that, connections that are not paid for are suspended, never deleted.`,
      };
    case "active":
      return {
        words: `Active, ${paidFor}`,
        tone: "good",
        text:
          until === null ? "It is paid for." : `It is paid for until ${dateWords(until)}, and renews then.`,
      };
    case "past_due":
      return {
        words: "Payment missing",
        tone: "bad",
        text: `The last payment failed. Your connections go on${until === null ? "" : ` until ${fullTime(until)}`}: pay, or change how you pay, before then.`,
      };
    case "cancelled":
      return {
        words: `Cancelled, paid until ${until === null ? "the end of the period" : dateWords(until)}`,
        tone: "warn",
        text: `Until then ${paidFor} can be used. After that they are suspended. ${nothingLost}`,
      };
    default:
      return { words: "No plan", tone: "bad", text: `${endings[reason] ?? ""} ${nothingLost}`.trim() };
  }
}

const endings: Record<string, string> = {
  trial_ended: "The free trial has ended.",
  payment_overdue: "The last payment is overdue. Pay it to have your connections back.",
  subscription_ended: "Your subscription has ended.",
};

function trialDays(until: string, now: number): string {
  const days = Math.ceil((Date.parse(until) - now) / 86_400_000);
  return days <= 1 ? "last day" : `${count(days)} days left`;
}

/** Whether Stripe still has a subscription that can be paid, changed or gone on with. */
export const isLive = ({ subscription }: Billing): boolean =>
  subscription !== null && ["active", "trialing", "past_due", "unpaid"].includes(subscription.status);

/** Whether the number of connections can be changed now: what is owed comes first. */
export const isChangeable = ({ subscription }: Billing): boolean =>
  subscription !== null && ["active", "trialing"].includes(subscription.status);

interface Outcome {
  tone: "info" | "warn" | "bad";
  title: string;
  text: string;
}

/** What became of a checkout, said once to who comes back from it. */
export function describeCheckout(checkout: string, billing: Billing): Outcome {
  if (checkout === "complete") {
    return isLive(billing)
      ? { tone: "info", title: "Paid", text: "Thank you. Your subscription is running." }
      : {
          tone: "warn",
          title: "The payment is on its way",
          text: "Stripe has your order and waits for the bank. It shows here as soon as it is paid.",
        };
  }
  if (checkout === "open") {
    return {
      tone: "warn",
      title: "Nothing was paid",
      text: "You came back from Stripe's page without paying. Nothing was charged, and nothing has changed.",
    };
  }
  if (checkout === "expired") {
    return { tone: "warn", title: "Nothing was paid", text: "That payment page has expired. Begin again." };
  }
  return { tone: "bad", title: "Not your payment", text: "That payment was begun in another account." };
}
