import { useId } from "hono/jsx/dom";
import { useState } from "../state/use-state.ts";

interface Props {
  /** The path in the request, which is also the path a problem document names: `fields.api_key`. */
  name: string;
  label: string;
  error?: string | undefined;
  help?: string | null | undefined;
  placeholder?: string | null | undefined;
  secret?: boolean;
  optional?: boolean;
  type?: "text" | "url";
  maxLength?: number;
  /** What stands in it at first. */
  value?: string | undefined;
}

/** One labelled input. It is uncontrolled: a typed secret is nowhere but in the input until the form is sent. */
export function Field(props: Props) {
  const { name, label, error, help, placeholder, secret = false, optional = false, type = "text" } = props;
  const id = useId();
  const [shown, setShown] = useState(false);
  const described = [help ? `${id}help` : "", error ? `${id}error` : ""].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>
        {label}
        {optional ? <span class="optional"> (optional)</span> : null}
      </label>
      {help ? (
        <p class="hint" id={`${id}help`}>
          {help}
        </p>
      ) : null}
      <div class="input-row">
        <input
          ref={withoutSpelling}
          id={id}
          name={name}
          type={secret && !shown ? "password" : secret ? "text" : type}
          class={secret ? "input input-secret" : "input"}
          placeholder={placeholder ?? ""}
          value={props.value}
          maxLength={props.maxLength ?? longestUnits}
          required={!optional}
          autocomplete="off"
          autocapitalize="off"
          data-1p-ignore
          data-lpignore="true"
          aria-invalid={error ? "true" : "false"}
          aria-describedby={described || undefined}
        />
        {secret ? (
          <button
            type="button"
            class="button button-quiet"
            aria-pressed={shown ? "true" : "false"}
            aria-label={`Show ${label}`}
            onClick={() => setShown(!shown)}
          >
            {shown ? "Hide" : "Show"}
          </button>
        ) : null}
      </div>
      {error ? (
        <p class="field-error" id={`${id}error`}>
          {error}
        </p>
      ) : null}
    </div>
  );
}

/** Beyond what any field of the API takes: it says that a text is too long, where an input would cut it and say nothing. */
const longestUnits = 8192;

/** Browsers may send what their spell checker reads to its maker, and the renderer drops an attribute that is false. */
const withoutSpelling = (input: HTMLInputElement | null) => input?.setAttribute("spellcheck", "false");
