import { explain } from "../api.ts";
import { goToPortal } from "../state/payment.ts";
import { useDeparture } from "../state/use-departure.ts";

/** To Stripe's page for cards, invoices and ending a subscription. Its address is good for minutes: made when asked. */
export function PortalButton({ primary, words }: { primary: boolean; words: string }) {
  const { busy, failure, run } = useDeparture(goToPortal);
  return (
    <div class="portal-go">
      <button
        type="button"
        class={primary ? "button button-primary" : "button"}
        aria-disabled={busy ? "true" : "false"}
        onClick={() => run(undefined)}
      >
        {busy ? "Going to Stripe …" : words}
      </button>
      <p class="field-error" role="alert">
        {failure ? explain(failure) : ""}
      </p>
    </div>
  );
}
