import type { Price } from "../billing-schemas.ts";
import { tierWords } from "../price.ts";

/** What connections cost, as it stands at Stripe now. */
export function PriceList({ price }: { price: Price | null }) {
  return (
    <div class="price">
      <h3>Price</h3>
      {price === null ? (
        <p class="hint">Stripe did not name the price just now. Its payment page shows it before you pay.</p>
      ) : (
        <>
          <ul>
            {tierWords(price).map((words) => (
              <li key={words}>{words}</li>
            ))}
          </ul>
          <p class="hint">
            {price.tiers_mode === "volume"
              ? "All connections cost what applies to their number. Taxes, if any, come on top."
              : "Taxes, if any, come on top."}
          </p>
        </>
      )}
    </div>
  );
}
