interface Props {
  name: string;
  options: readonly { value: string; words: string }[];
  selected: string;
  onSelect: (value: string) => void;
}

/** Buttons of which one is pressed. */
export function Chips({ name, options, selected, onSelect }: Props) {
  return (
    <div class="chips" role="group" aria-label={name}>
      {options.map(({ value, words }) => (
        <button
          key={value}
          type="button"
          class="chip"
          aria-pressed={value === selected ? "true" : "false"}
          onClick={() => onSelect(value)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}
