import { useId } from "hono/jsx/dom";
import { api, errorAt } from "../api.ts";
import { Field } from "../components/field.tsx";
import { FormPanel } from "../components/form-panel.tsx";
import { Notice } from "../components/notice.tsx";
import { ViewHead } from "../components/view-head.tsx";
import type { Me } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { useState } from "../state/use-state.ts";

/** A message has 5,000 characters, of two units at most; what is longer is refused, and not cut off unseen. */
const messageUnits = 20_000;

export function Support({ me }: { me: Me | undefined }) {
  const [sent, setSent] = useState(false);
  const { busy, failure, run } = useAction(api.askSupport, () => setSent(true));
  const id = useId();
  const error = errorAt(failure, "message");
  const submit = (data: FormData) => {
    const text = (name: string) => {
      const value = data.get(name);
      return typeof value === "string" ? value.trim() : "";
    };
    run({ subject: text("subject"), message: text("message") });
  };
  return (
    <div class="narrow">
      <ViewHead
        title="Support"
        lead={me?.email ? `The answer comes to ${me.email}.` : "Say in the message how you can be reached."}
      />
      {sent ? (
        <div role="status">
          <Notice tone="info" title="Your message is on its way">
            <p>Thank you. Somebody reads it and answers.</p>
          </Notice>
        </div>
      ) : (
        <FormPanel
          busy={busy}
          failure={failure}
          refused="Not sent"
          inputs={["subject", "message"]}
          whenUnknown="Perhaps it arrived all the same; a second try makes a second ticket."
          action={busy ? "Sending …" : "Send"}
          onSubmit={submit}
        >
          <Notice tone="warn" title="Never send a secret.">
            <p>Nobody here needs your secret URL, API key or password to help you.</p>
          </Notice>
          <Field name="subject" label="Subject" error={errorAt(failure, "subject")} />
          <div class="field">
            <label for={id}>Message</label>
            <textarea
              id={id}
              name="message"
              class="input"
              rows={8}
              maxLength={messageUnits}
              required
              aria-invalid={error ? "true" : "false"}
              aria-describedby={error ? `${id}error` : undefined}
            />
            {error ? (
              <p class="field-error" id={`${id}error`}>
                {error}
              </p>
            ) : null}
          </div>
        </FormPanel>
      )}
    </div>
  );
}
