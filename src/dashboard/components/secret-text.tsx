import { CopyButton } from "./copy-button.tsx";

interface Props {
  label: string;
  what: string;
  hint: string;
  text: string;
  announce: (sentence: string) => void;
}

/**
 * A plain element and not a read-only input: browsers keep the values of inputs in the session's history, on disk,
 * and put them back after a reload.
 */
export function SecretText({ label, what, hint, text, announce }: Props) {
  return (
    <div class="secret">
      <div class="secret-head">
        <h2>{label}</h2>
        <CopyButton what={what} text={text} announce={announce} />
      </div>
      <code class="secret-text" translate="no">
        {text}
      </code>
      <p class="hint">{hint}</p>
    </div>
  );
}
