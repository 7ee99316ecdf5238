import { api } from "../api.ts";
import type { Connection, Service, StorageMode } from "../schemas.ts";
import { inputNames, readKeyForm } from "../state/connect-form.ts";
import { hrefs } from "../state/route.ts";
import { useAction } from "../state/use-action.ts";
import { KeepHint, staysManaged } from "./again-form.tsx";
import { UrlField } from "./connect-form.tsx";
import { FormPanel } from "./form-panel.tsx";
import { Guide } from "./guide.tsx";
import { HeaderFields, KeyFields, KeyModeChoice } from "./key-fields.tsx";
import { PresentField, readPresented } from "./present-field.tsx";
import { StorageChoice } from "./storage-choice.tsx";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  connection: Connection;
  service: Service;
  modes: StorageMode[];
  onConnected: OnConnected;
}

/** Another key for a connection that exists, or for one that was disconnected. */
export function AgainKeyForm({ connection, service, modes, onConnected }: Props) {
  const [modeId, setModeId] = useState(service.key_modes[0]?.id ?? "");
  const [storage, setStorage] = useState<string>(connection.storage);
  const { busy, failure, run } = useAction(api.connect, onConnected, { always: true });
  const errors = failure?.kind === "problem" ? failure.errors : new Map<string, string>();
  const mode = service.key_modes.find((each) => each.id === modeId);
  const alive = connection.status !== "disconnected";
  const asksPresent = alive && !staysManaged(connection, storage);
  const hasSealedQuery = connection.upstream_url?.endsWith("?…") === true;
  if (mode === undefined) return null;
  const submit = (data: FormData) => {
    const credential = readPresented(data);
    run({
      ...readKeyForm(data, service, mode),
      reauthorize: connection.id,
      ...(credential === undefined ? {} : { credential }),
    });
  };
  return (
    <FormPanel
      busy={busy}
      failure={failure}
      refused="The key was not taken"
      inputs={[...inputNames(service, mode), "credential"]}
      whenUnknown="If your present credential no longer works, this went through and its answer was lost: give the key once more."
      action={busy ? "Checking the key …" : "Check the key and save it"}
      cancel={hrefs.detail(connection.id)}
      onSubmit={submit}
    >
      <KeyModeChoice service={service} selected={modeId} onSelect={setModeId} />
      <Guide mode={mode} service={service} />
      {service.url_required ? (
        <UrlField
          error={errors.get("url")}
          {...(hasSealedQuery
            ? {
                help: "Give it whole: what follows the ? may hold a key, so it is stored sealed and not shown.",
              }
            : { value: connection.upstream_url ?? "" })}
        />
      ) : null}
      <KeyFields mode={mode} errors={errors} />
      {asksPresent ? (
        <PresentField
          optional
          help="With it your address and key stay, and your clients go on as they are. Without it you get new ones."
          error={errors.get("credential")}
        />
      ) : (
        <KeepHint alive={alive} />
      )}
      <StorageChoice modes={modes} initial={connection.storage} onSelect={setStorage} />
      <HeaderFields mode={mode} errors={errors} />
    </FormPanel>
  );
}
