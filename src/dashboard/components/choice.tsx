interface Option {
  value: string;
  title: string;
  text?: string;
}

interface Props {
  name: string;
  legend: string;
  options: Option[];
  selected: string;
  onSelect?: (value: string) => void;
}

/** A group of radio buttons, each with a sentence that says what choosing it means. */
export function Choice({ name, legend, options, selected, onSelect }: Props) {
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      {options.map((option) => (
        <label key={option.value} class="choice-option">
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === selected}
            onClick={() => onSelect?.(option.value)}
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
