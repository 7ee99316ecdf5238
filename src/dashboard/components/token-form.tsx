import { useRef } from "hono/jsx/dom";
import type { TokenMade } from "../account-schemas.ts";
import { api, errorAt } from "../api.ts";
import { labelUnits } from "../format.ts";
import { useAction } from "../state/use-action.ts";
import { Choice } from "./choice.tsx";
import { Field } from "./field.tsx";
import { FormPanel } from "./form-panel.tsx";
import { useEffect } from "../state/use-effect.ts";

interface Props {
  onMade: (made: TokenMade) => void;
  onClose: () => void;
}

const lives = [
  { value: "30", title: "30 days" },
  { value: "90", title: "90 days" },
  { value: "365", title: "A year" },
  { value: "", title: "Until it is revoked" },
];

export function TokenForm({ onMade, onClose }: Props) {
  const { busy, failure, run } = useAction(api.createToken, onMade);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  const submit = (data: FormData) => {
    const days = Number(data.get("expires_in_days"));
    run({
      name: textOf(data, "name"),
      scope: textOf(data, "scope"),
      ...(days > 0 ? { expires_in_days: days } : {}),
    });
  };
  return (
    <div ref={box} class="made">
      <FormPanel
        busy={busy}
        failure={failure}
        refused="No token was made"
        inputs={["name"]}
        whenUnknown="If a new token shows in the list all the same, its secret is lost: revoke it and make another."
        action={busy ? "Making it …" : "Create the token"}
        onCancel={onClose}
        onSubmit={submit}
      >
        <h2>New token</h2>
        <Field
          name="name"
          label="Name"
          maxLength={labelUnits}
          placeholder="CI, backup script …"
          help="What uses it: the activity log names it."
          error={errorAt(failure, "name")}
        />
        <Choice
          name="scope"
          legend="What it may do"
          initial="read"
          options={[
            { value: "read", title: "Read", text: "See connections, health and the activity log." },
            {
              value: "manage",
              title: "Read and change",
              text: "Also connect, re-authorize and disconnect. Never delete the account or make tokens.",
            },
          ]}
        />
        <Choice name="expires_in_days" legend="How long it lives" initial="90" options={lives} inline />
      </FormPanel>
    </div>
  );
}

function textOf(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === "string" ? value.trim() : "";
}
