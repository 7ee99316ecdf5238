import { useRef } from "hono/jsx/dom";
import type { Billing } from "../billing-schemas.ts";
import { describeCheckout, describePlan } from "../plan-words.ts";
import { useApp } from "../state/app-context.ts";
import { isBack, loadBilling, onPaymentReturn, type Known } from "../state/payment.ts";
import { useLoad } from "../state/use-load.ts";
import { LoadFailure, Notice } from "./notice.tsx";
import { PlanActions } from "./plan-actions.tsx";
import { PlanFacts } from "./plan-facts.tsx";
import { PriceList } from "./price-list.tsx";
import { Skeleton } from "./skeleton.tsx";
import { useEffect } from "../state/use-effect.ts";
import { useState } from "../state/use-state.ts";

/** What the person pays for. `asked`: they came for this section of the view. */
export function BillingPanel({ asked }: { asked: boolean }) {
  const { loaded, reload } = useLoad(loadBilling);
  useEffect(() => onPaymentReturn(reload), [reload]);
  const heading = useRef<HTMLHeadingElement>(null);
  const { state } = loaded;
  useEffect(() => {
    if (!asked || state === "loading") return;
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: "start" });
  }, [asked, state]);
  return (
    <section
      class="panel billing"
      aria-labelledby="billing-title"
      aria-busy={state === "loading" ? "true" : "false"}
    >
      <h2 id="billing-title" ref={heading} tabIndex={-1}>
        Plan and billing
      </h2>
      {state === "loading" ? <Loading /> : null}
      {state === "failed" ? <LoadFailure what="Your plan" failure={loaded.failure} retry={reload} /> : null}
      {state === "ready" ? <Ready known={loaded.value} /> : null}
    </section>
  );
}

function Loading() {
  const back = useRef(isBack());
  return (
    <>
      {back.current ? <p class="hint">Asking Stripe what came of your payment …</p> : null}
      <Skeleton what="your plan" kind="plan" count={1} />
    </>
  );
}

function Ready({ known }: { known: Known }) {
  const { announce } = useApp();
  const [changed, setChanged] = useState<{ of: Known; billing: Billing } | undefined>(undefined);
  // What was loaded again is newer than what was changed before.
  const billing = changed?.of === known ? changed.billing : known.billing;
  const outcome =
    known.checkout === null || billing !== known.billing
      ? undefined
      : describeCheckout(known.checkout, known.billing);
  const { words, tone, text } = describePlan(billing);
  const title = outcome?.title;
  useEffect(() => {
    if (title !== undefined) announce(`${title}. ${words}.`);
  }, [title]);
  const change = (next: Billing) => {
    setChanged({ of: known, billing: next });
    announce(`Changed. ${describePlan(next).words}.`);
  };
  return (
    <>
      {outcome ? (
        <Notice tone={outcome.tone} title={outcome.title}>
          <p>{outcome.text}</p>
        </Notice>
      ) : null}
      <div>
        <p class={`state plan-state state-${tone}`}>
          <span class="sr-only">Plan: </span>
          {words}
        </p>
        <p class="plan-text">{text}</p>
      </div>
      <PlanFacts billing={billing} />
      <PriceList price={billing.price} />
      <PlanActions billing={billing} onChanged={change} />
    </>
  );
}
