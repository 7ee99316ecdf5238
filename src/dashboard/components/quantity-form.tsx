import type { Child } from "hono/jsx";
import { useId } from "hono/jsx/dom";
import { errorAt, type Failure } from "../api.ts";
import type { Price } from "../billing-schemas.ts";
import { breakdownOf, money, periodWords, totalOf } from "../price.ts";
import { useFaultFocus } from "../state/use-fault-focus.ts";
import { FormFailure } from "./form-failure.tsx";
import { useState } from "../state/use-state.ts";

interface Props {
  label: string;
  initial: number;
  price: Price | null;
  busy: boolean;
  failure: Failure | undefined;
  refused: string;
  whenUnknown: string;
  action: string;
  /** What is wrong with a number that the server would take. */
  check?: (quantity: number) => string | undefined;
  onSubmit: (quantity: number) => void;
  /** Further actions beside it. */
  children?: Child;
}

/** The most that one plan can have. */
const most = 10_000;

/** How many connections to pay for, with what that many cost. */
export function QuantityForm(props: Props) {
  const { label, initial, price, busy, failure, action, check, onSubmit, children } = props;
  const [quantity, setQuantity] = useState<number | undefined>(initial);
  const [wrong, setWrong] = useState<string | undefined>(undefined);
  const form = useFaultFocus(failure);
  const id = useId();
  const error = wrong ?? errorAt(failure, "quantity");
  const read = (event: Event) => {
    if (!(event.target instanceof HTMLInputElement)) return;
    const { valueAsNumber: value } = event.target;
    setQuantity(Number.isInteger(value) && value >= 1 && value <= most ? value : undefined);
    setWrong(undefined);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    const found = quantity === undefined ? "Give a whole number." : check?.(quantity);
    setWrong(found);
    if (quantity !== undefined && found === undefined) onSubmit(quantity);
  };
  return (
    <form
      ref={form}
      class="quantity"
      autocomplete="off"
      aria-busy={busy ? "true" : "false"}
      onSubmit={submit}
    >
      <div class="field">
        <label for={id}>{label}</label>
        <div class="quantity-row">
          <input
            id={id}
            name="quantity"
            type="number"
            class="input"
            min={1}
            max={most}
            step={1}
            required
            value={initial}
            aria-invalid={error ? "true" : "false"}
            aria-describedby={`${id}total ${id}error`}
            onInput={read}
          />
          <output id={`${id}total`} for={id} class="quantity-total">
            {price && quantity !== undefined ? <Total price={price} quantity={quantity} /> : null}
          </output>
        </div>
        <p class="field-error" id={`${id}error`} role="alert">
          {error ?? ""}
        </p>
      </div>
      <div role="alert">
        {failure && !errorAt(failure, "quantity") ? (
          <FormFailure
            title={props.refused}
            failure={failure}
            besideInputs={["quantity"]}
            whenUnknown={props.whenUnknown}
          />
        ) : null}
      </div>
      <div class="actions">
        <button type="submit" class="button button-primary" aria-disabled={busy ? "true" : "false"}>
          {action}
        </button>
        {children}
      </div>
    </form>
  );
}

function Total({ price, quantity }: { price: Price; quantity: number }) {
  const breakdown = breakdownOf(price, quantity);
  return (
    <>
      {breakdown === "" ? null : <span class="hint">{`${breakdown} = `}</span>}
      <strong>{money(totalOf(price, quantity), price.currency)}</strong>
      {` ${periodWords(price)}`}
    </>
  );
}
