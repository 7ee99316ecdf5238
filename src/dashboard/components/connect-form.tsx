import { api } from "../api.ts";
import { labelUnits, signInWords } from "../format.ts";
import type { Service, StorageMode } from "../schemas.ts";
import { inputNames, readKeyForm, readSignInForm } from "../state/connect-form.ts";
import { hrefs } from "../state/route.ts";
import { useAction } from "../state/use-action.ts";
import { useSignIn } from "../state/use-sign-in.ts";
import { Choice } from "./choice.tsx";
import { Field } from "./field.tsx";
import { FormPanel } from "./form-panel.tsx";
import { Guide } from "./guide.tsx";
import { HeaderFields, KeyFields, KeyModeChoice } from "./key-fields.tsx";
import { LeaveDialog } from "./leave-dialog.tsx";
import { OwnClientFields } from "./own-client.tsx";
import { StorageChoice } from "./storage-choice.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  service: Service;
  modes: StorageMode[];
  onConnected: OnConnected;
}

/** One form for both ways in, so that what was typed stays when a person changes their mind. */
export function ConnectForm({ service, modes, onConnected }: Props) {
  const [way, setWay] = useState<string>(service.oauth_available ? "sign_in" : "key");
  const [modeId, setModeId] = useState(service.key_modes[0]?.id ?? "");
  const signIn = useSignIn();
  const withKey = useAction(api.connect, onConnected, { always: true });
  const mode = way === "key" ? service.key_modes.find((each) => each.id === modeId) : undefined;
  const { busy, failure } = mode === undefined ? signIn : withKey;
  const errors = failure?.kind === "problem" ? failure.errors : new Map<string, string>();

  const submit = (data: FormData) => {
    if (mode !== undefined) {
      withKey.run(readKeyForm(data, service, mode));
      return;
    }
    const input = readSignInForm(data, { service: service.id });
    const label = input.label ?? service.name;
    signIn.begin({ input, from: hrefs.connect(service.id), label, keep: false });
  };
  const words = signInWords(service);
  const keyWords = busy ? "Checking the key …" : "Check the key and connect";
  const signInAction = busy ? "Going to the sign-in …" : words;
  return (
    <>
      <FormPanel
        busy={busy}
        failure={failure}
        refused="Not connected"
        inputs={inputNames(service, mode)}
        whenUnknown={mode === undefined ? "Nothing was begun. Try again." : lostCredential}
        action={mode === undefined ? signInAction : keyWords}
        cancel={hrefs.gallery}
        onSubmit={submit}
      >
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
        {mode !== undefined ? (
          <KeyModeChoice service={service} selected={modeId} onSelect={setModeId} />
        ) : null}
        <Guide mode={mode} service={service} />
        {service.url_required ? <UrlField error={errors.get("url")} /> : null}
        {mode !== undefined ? <KeyFields mode={mode} errors={errors} /> : null}
        {mode === undefined && service.own_client?.required ? (
          <OwnClientFields service={service} errors={errors} />
        ) : null}
        <Field
          name="label"
          label="Label"
          optional
          maxLength={labelUnits}
          placeholder="Work, personal …"
          help="Only you see it, in your list of connections."
          error={errors.get("label")}
        />
        <StorageChoice modes={modes} />
        {mode !== undefined ? <HeaderFields mode={mode} errors={errors} /> : null}
        {mode === undefined && service.own_client?.required === false ? (
          <OwnClientFields service={service} errors={errors} />
        ) : null}
      </FormPanel>
      {signIn.asking ? (
        <LeaveDialog begun={signIn.asking} onLeave={signIn.leave} onStay={signIn.stay} />
      ) : null}
    </>
  );
}

export function UrlField(props: { error: string | undefined; value?: string; help?: string }) {
  return (
    <Field
      name="url"
      label="MCP server URL"
      type="url"
      placeholder="https://mcp.example.com/mcp"
      {...props}
    />
  );
}

const lostCredential =
  "If a new connection shows in your list all the same, its credential is lost: disconnect it and try again.";
