import type { Billing } from "../billing-schemas.ts";
import { isChangeable, isLive } from "../plan-words.ts";
import { goToCheckout } from "../state/payment.ts";
import { useDeparture } from "../state/use-departure.ts";
import { PortalButton } from "./portal-button.tsx";
import { QuantityChange } from "./quantity-change.tsx";
import { QuantityForm } from "./quantity-form.tsx";

interface Props {
  billing: Billing;
  onChanged: (billing: Billing) => void;
}

/** What can be done with a plan as it is: begin one, change it, or see to it at Stripe. */
export function PlanActions({ billing, onChanged }: Props) {
  if (!isLive(billing)) return <Checkout billing={billing} />;
  return (
    <>
      {isChangeable(billing) ? <QuantityChange billing={billing} onChanged={onChanged} /> : null}
      <Portal billing={billing} />
    </>
  );
}

function Checkout({ billing }: { billing: Billing }) {
  const { busy, failure, run } = useDeparture(goToCheckout);
  const { active, suspended } = billing.connections;
  return (
    <>
      <QuantityForm
        label="How many connections to pay for"
        initial={Math.max(1, active + suspended)}
        price={billing.price}
        busy={busy}
        failure={failure}
        refused="The payment was not begun"
        whenUnknown="Nothing was charged. Try again."
        action={busy ? "Going to Stripe …" : "Pay at Stripe"}
        onSubmit={run}
      />
      <p class="hint">You pay on Stripe's own page. No card number ever comes near this one.</p>
      {billing.has_portal ? <Portal billing={billing} /> : null}
    </>
  );
}

const whatFor: Record<string, string> = {
  past_due: "Pay the open invoice, or give another card. It is done on Stripe's own page.",
  none: "Pay what is owed, or give another card. It is done on Stripe's own page.",
  cancelled: "Go on with the subscription, or see your invoices, on Stripe's own page.",
};

function Portal({ billing }: { billing: Billing }) {
  const { plan } = billing;
  const owing = isLive(billing) && !isChangeable(billing);
  const text = isLive(billing) ? whatFor[plan.name] : undefined;
  return (
    <div class="portal">
      <p>{text ?? "Cards, invoices and ending the subscription: on Stripe's own page."}</p>
      <PortalButton primary={owing} words={owing ? "Pay at Stripe" : "Manage at Stripe"} />
    </div>
  );
}
