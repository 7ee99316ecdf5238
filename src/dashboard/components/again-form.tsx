import { labelOf, signInWords } from "../format.ts";
import type { Connection, Service, StorageMode } from "../schemas.ts";
import { inputNames, readSignInForm } from "../state/connect-form.ts";
import { hrefs } from "../state/route.ts";
import { useSignIn } from "../state/use-sign-in.ts";
import { Choice } from "./choice.tsx";
import { FormPanel } from "./form-panel.tsx";
import { LeaveDialog } from "./leave-dialog.tsx";
import { OwnClientFields } from "./own-client.tsx";
import { StorageChoice } from "./storage-choice.tsx";
import { useState } from "../state/use-state.ts";

interface Props {
  connection: Connection;
  service: Service;
  modes: StorageMode[];
}

/** Signs a connection in again. A credential to keep is asked for after the way back: before, it had to be stored. */
export function AgainForm({ connection, service, modes }: Props) {
  const [keep, setKeep] = useState<string>("keep");
  const [storage, setStorage] = useState<string>(connection.storage);
  const { busy, failure, begin, asking, leave, stay } = useSignIn();
  const errors = failure?.kind === "problem" ? failure.errors : new Map<string, string>();
  const alive = connection.status !== "disconnected";
  const stays = staysManaged(connection, storage);
  const submit = (data: FormData) => {
    begin({
      input: readSignInForm(data, { reauthorize: connection.id }),
      from: hrefs.again(connection.id),
      label: labelOf(connection),
      keep: alive && !stays && keep === "keep",
    });
  };
  return (
    <>
      <FormPanel
        busy={busy}
        failure={failure}
        refused="Not begun"
        inputs={inputNames(service, undefined)}
        whenUnknown="Nothing was changed. Try again."
        action={busy ? "Going to the sign-in …" : signInWords(service)}
        cancel={hrefs.detail(connection.id)}
        onSubmit={submit}
      >
        {alive && !stays ? (
          <Choice
            name="keep"
            legend="Your secret URL and API key"
            selected={keep}
            onSelect={setKeep}
            options={[
              {
                value: "keep",
                title: "Keep the ones I have",
                text: "Your clients go on as they are. Have one of them at hand: when you are back you are asked for it, because only it opens what is stored.",
              },
              {
                value: "new",
                title: "Give me new ones",
                text: "The present ones stop working, and your clients need the new ones.",
              },
            ]}
          />
        ) : (
          <KeepHint alive={alive} />
        )}
        <StorageChoice modes={modes} initial={connection.storage} onSelect={setStorage} />
        <OwnClientFields service={service} errors={errors} />
      </FormPanel>
      {asking ? <LeaveDialog begun={asking} onLeave={leave} onStay={stay} /> : null}
    </>
  );
}

/** Only there the deployment itself can open what is stored, before and after. */
export const staysManaged = (connection: Connection, storage: string): boolean =>
  connection.status !== "disconnected" && connection.storage === "managed" && storage === "managed";

export function KeepHint({ alive }: { alive: boolean }) {
  return (
    <p class="hint">
      {alive
        ? "Your secret URL and API key stay as they are."
        : "You get a new secret URL and API key; the old ones stay dead."}
    </p>
  );
}
