import { api } from "../api.ts";
import type { Billing, Preview } from "../billing-schemas.ts";
import { plural } from "../format.ts";
import { money, periodWords, totalOf } from "../price.ts";
import { useAction } from "../state/use-action.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { QuantityForm } from "./quantity-form.tsx";
import { useState } from "../state/use-state.ts";

interface Props {
  billing: Billing;
  onChanged: (billing: Billing) => void;
}

/** Another number of connections: what it costs now is asked of Stripe and shown before anything is changed. */
export function QuantityChange({ billing, onChanged }: Props) {
  const [preview, setPreview] = useState<Preview | undefined>(undefined);
  const { busy, failure, run } = useAction(api.previewQuantity, setPreview);
  const present = billing.subscription?.quantity ?? 1;
  return (
    <>
      <QuantityForm
        key={present}
        label="Connections to pay for"
        initial={present}
        price={billing.price}
        busy={busy}
        failure={failure}
        refused="The change could not be worked out"
        whenUnknown="Nothing was changed. Try again."
        action={busy ? "Asking Stripe …" : "See what changes"}
        check={(quantity) => (quantity === present ? "You pay for that many already." : undefined)}
        onSubmit={run}
      />
      {preview ? (
        <ChangeDialog
          preview={preview}
          billing={billing}
          onChanged={onChanged}
          onClose={() => setPreview(undefined)}
        />
      ) : null}
    </>
  );
}

interface DialogProps extends Props {
  preview: Preview;
  onClose: () => void;
}

function ChangeDialog({ preview, billing, onChanged, onClose }: DialogProps) {
  const { quantity, amount_due: due, currency, proration_date } = preview;
  const { busy, failure, run } = useAction(api.changeQuantity, (changed) => {
    onClose();
    onChanged(changed);
  });
  const { price, connections, subscription } = billing;
  const fewer = quantity < (subscription?.quantity ?? 0);
  const over = connections.active - quantity;
  return (
    <ConfirmDialog
      title={`Change to ${plural(quantity, "connection")}?`}
      action={busy ? "Changing …" : due > 0 ? `Pay ${money(due, currency)} and change` : "Change"}
      dismiss="Leave it as it is"
      tone="primary"
      busy={busy}
      failure={failure}
      onConfirm={() => run({ quantity, proration_date })}
      onClose={onClose}
    >
      <p>
        {due > 0
          ? `Now you pay ${money(due, currency)}: the difference for the rest of this period.`
          : due < 0
            ? `Nothing is paid now: ${money(-due, currency)} for the rest of this period is credited to your next invoices.`
            : "Nothing is paid now."}
      </p>
      {price ? (
        <p>{`From the next period on it is ${money(totalOf(price, quantity), price.currency)} ${periodWords(price)}.`}</p>
      ) : null}
      {fewer && over > 0 ? (
        <p>
          {`You use ${plural(connections.active, "connection")}: ${over === 1 ? "the newest one is" : `the ${over} newest are`} suspended, and nothing of it is deleted.`}
        </p>
      ) : null}
    </ConfirmDialog>
  );
}
