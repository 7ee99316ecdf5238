import { useState } from "hono/jsx/dom";
import { api } from "../api.ts";
import { signInWords } from "../format.ts";
import type { Connected, Service, StorageMode } from "../schemas.ts";
import { inputNames, readKeyForm, readSignInForm } from "../state/connect-form.ts";
import { hrefs } from "../state/route.ts";
import { useAction } from "../state/use-action.ts";
import { useFaultFocus } from "../state/use-fault-focus.ts";
import { useSignIn } from "../state/use-sign-in.ts";
import { Choice } from "./choice.tsx";
import { Field } from "./field.tsx";
import { FormFailure } from "./form-failure.tsx";
import { Guide } from "./guide.tsx";
import { HeaderFields, KeyFields } from "./key-fields.tsx";
import { LeaveDialog } from "./leave-dialog.tsx";
import { OwnClientFields } from "./own-client.tsx";
import { StorageChoice } from "./storage-choice.tsx";

interface Props {
  service: Service;
  modes: StorageMode[];
  onConnected: (connected: Connected) => void;
}

/** One form for both ways in, so that what was typed stays when a person changes their mind. */
export function ConnectForm({ service, modes, onConnected }: Props) {
  const [way, setWay] = useState<string>(service.oauth_available ? "sign_in" : "key");
  const [modeId, setModeId] = useState(service.key_modes[0]?.id ?? "");
  const signIn = useSignIn();
  const withKey = useAction(api.connect, onConnected);
  const mode = way === "key" ? service.key_modes.find((each) => each.id === modeId) : undefined;
  const { busy, failure } = mode === undefined ? signIn : withKey;
  const form = useFaultFocus(failure);
  const errors = failure?.kind === "problem" ? failure.errors : new Map<string, string>();

  const submit = (event: Event) => {
    event.preventDefault();
    if (form.current === null) return;
    const data = new FormData(form.current);
    if (mode !== undefined) withKey.run(readKeyForm(data, service, mode));
    else {
      const input = readSignInForm(data, { service: service.id });
      const label = input.label ?? service.name;
      signIn.begin({ input, from: hrefs.connect(service.id), label, keep: false });
    }
  };
  const words = signInWords(service);
  return (
    <>
      <form ref={form} class="panel" autocomplete="off" aria-busy={busy ? "true" : "false"} onSubmit={submit}>
        {service.oauth_available && service.key_available ? (
          <Choice
            name="way"
            legend="How to connect"
            selected={way}
            onSelect={setWay}
            options={[
              {
                value: "sign_in",
                title: words,
                text: "You log in there and allow the access. No key to copy.",
              },
              { value: "key", title: "Use a key", text: "You create a key there and paste it here." },
            ]}
          />
        ) : null}
        {mode !== undefined && service.key_modes.length > 1 ? (
          <Choice
            name="mode"
            legend="Kind of key"
            selected={modeId}
            onSelect={setModeId}
            options={service.key_modes.map((each) => ({ value: each.id, title: each.label }))}
          />
        ) : null}
        <Guide mode={mode} service={service} />
        {service.url_required ? (
          <Field
            name="url"
            label="MCP server URL"
            type="url"
            placeholder="https://mcp.example.com/mcp"
            error={errors.get("url")}
          />
        ) : null}
        {mode !== undefined ? <KeyFields mode={mode} errors={errors} /> : null}
        {mode === undefined && service.own_client?.required ? (
          <OwnClientFields service={service} errors={errors} />
        ) : null}
        <Field
          name="label"
          label="Label"
          optional
          maxLength={100}
          placeholder="Work, personal …"
          help="Only you see it, in your list of connections."
          error={errors.get("label")}
        />
        <StorageChoice modes={modes} />
        {mode !== undefined ? <HeaderFields mode={mode} errors={errors} /> : null}
        {mode === undefined && service.own_client?.required === false ? (
          <OwnClientFields service={service} errors={errors} />
        ) : null}
        <div role="alert">
          {failure ? (
            <FormFailure
              title="Not connected"
              failure={failure}
              besideInputs={inputNames(service, mode)}
              whenUnknown={mode === undefined ? "Nothing was begun. Try again." : lostCredential}
            />
          ) : null}
        </div>
        <div class="actions">
          <button type="submit" class="button button-primary" aria-disabled={busy ? "true" : "false"}>
            {mode === undefined
              ? busy
                ? "Going to the sign-in …"
                : words
              : busy
                ? "Checking the key …"
                : "Check the key and connect"}
          </button>
          <a class="button button-quiet" href={hrefs.gallery}>
            Cancel
          </a>
        </div>
      </form>
      {signIn.asking ? (
        <LeaveDialog begun={signIn.asking} onLeave={signIn.leave} onStay={signIn.stay} />
      ) : null}
    </>
  );
}

const lostCredential =
  "If a new connection shows in your list all the same, its credential is lost: disconnect it and try again.";
