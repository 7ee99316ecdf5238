import { useState } from "../state/use-state.ts";

interface Option {
  value: string;
  title: string;
  text?: string;
}

interface Props {
  name: string;
  legend: string;
  options: readonly Option[];
  /** Either what is selected, or what is at first where nobody else needs to know. */
  selected?: string;
  initial?: string;
  /** Side by side, for options of a word or two. */
  inline?: boolean;
  onSelect?: (value: string) => void;
}

/** A group of radio buttons, each with a sentence that says what choosing it means. */
export function Choice({ name, legend, options, selected, initial, inline = false, onSelect }: Props) {
  const [own, setOwn] = useState(initial);
  const present = selected ?? own;
  const select = (value: string) => {
    setOwn(value);
    onSelect?.(value);
  };
  return (
    <fieldset class={inline ? "choice choice-inline" : "choice"}>
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-option">
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === present}
            onClick={() => select(option.value)}
          />
          <span>
            <span class="choice-title">{option.title}</span>
            {option.text ? <span class="hint">{option.text}</span> : null}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
