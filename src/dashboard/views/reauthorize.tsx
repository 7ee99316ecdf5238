import { useCallback, useState } from "hono/jsx/dom";
import { api } from "../api.ts";
import { Choice } from "../components/choice.tsx";
import { ConnectHead } from "../components/connect-head.tsx";
import { FormFailure } from "../components/form-failure.tsx";
import { LeaveDialog } from "../components/leave-dialog.tsx";
import { LoadFailure, Notice } from "../components/notice.tsx";
import { OwnClientFields } from "../components/own-client.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { StorageChoice } from "../components/storage-choice.tsx";
import { hostOf, labelOf, signInWords } from "../format.ts";
import type { Connection, Service, StorageMode } from "../schemas.ts";
import { inputNames, readSignInForm } from "../state/connect-form.ts";
import { hrefs } from "../state/route.ts";
import { useFaultFocus } from "../state/use-fault-focus.ts";
import { useLoad } from "../state/use-load.ts";
import { useSignIn } from "../state/use-sign-in.ts";
import { Missing } from "./missing.tsx";

interface Props {
  id: string;
  services: Service[];
  modes: StorageMode[];
}

export function Reauthorize({ id, services, modes }: Props) {
  const load = useCallback(() => api.connection(id), [id]);
  const { loaded, reload } = useLoad(load);
  if (loaded.state === "loading") return <Skeleton what="the connection" kind="form" count={1} />;
  if (loaded.state === "failed") {
    return <LoadFailure what="The connection" failure={loaded.failure} retry={reload} />;
  }
  const connection = loaded.value;
  const service = services.find((each) => each.id === connection.service);
  if (service === undefined) return <Missing />;
  return <Again connection={connection} service={service} modes={modes} />;
}

interface AgainProps {
  connection: Connection;
  service: Service;
  modes: StorageMode[];
}

function Again({ connection, service, modes }: AgainProps) {
  const gone = connection.status === "disconnected";
  const label = labelOf(connection);
  const title = gone ? `Reconnect ${label}` : `Re-authorize ${label}`;
  const where = service.url_required ? hostOf(connection.upstream_url) : connection.service_name;
  return (
    <div class="narrow">
      <ConnectHead
        service={{ id: connection.service, name: connection.service_name }}
        title={title}
        back={{ href: hrefs.connections, words: "Connections" }}
      >
        {`You sign in at ${where} again. The connection keeps its label and history.`}
      </ConnectHead>
      {connection.wanted_scope ? (
        <Notice tone="warn" title="Re-authorize with more access">
          <p>
            {`A call needed more than you granted. This sign-in asks for it too: `}
            <code>{connection.wanted_scope}</code>
          </p>
        </Notice>
      ) : null}
      {service.oauth_available ? (
        <AgainForm connection={connection} service={service} modes={modes} />
      ) : (
        <Notice tone="warn">
          <p>{service.oauth_unavailable_reason ?? "Signing in is not possible here now."}</p>
        </Notice>
      )}
    </div>
  );
}

function AgainForm({ connection, service, modes }: AgainProps) {
  const [keep, setKeep] = useState<string>("keep");
  const [storage, setStorage] = useState<string>(connection.storage);
  const { busy, failure, begin, asking, leave, stay } = useSignIn();
  const form = useFaultFocus(failure);
  const errors = failure?.kind === "problem" ? failure.errors : new Map<string, string>();
  const alive = connection.status !== "disconnected";
  // Only there the deployment itself can open what is stored, before and after.
  const stays = alive && connection.storage === "managed" && storage === "managed";
  const submit = (event: Event) => {
    event.preventDefault();
    if (form.current === null) return;
    const input = readSignInForm(new FormData(form.current), { reauthorize: connection.id });
    begin({
      input,
      from: hrefs.again(connection.id),
      label: labelOf(connection),
      keep: alive && !stays && keep === "keep",
    });
  };
  return (
    <>
      <form ref={form} class="panel" autocomplete="off" aria-busy={busy ? "true" : "false"} onSubmit={submit}>
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
          <p class="hint">
            {alive
              ? "Your secret URL and API key stay as they are."
              : "You get a new secret URL and API key; the old ones stay dead."}
          </p>
        )}
        <StorageChoice modes={modes} initial={connection.storage} onSelect={setStorage} />
        <OwnClientFields service={service} errors={errors} />
        <div role="alert">
          {failure ? (
            <FormFailure
              title="Not begun"
              failure={failure}
              besideInputs={inputNames(service, undefined)}
              whenUnknown="Nothing was changed. Try again."
            />
          ) : null}
        </div>
        <div class="actions">
          <button type="submit" class="button button-primary" aria-disabled={busy ? "true" : "false"}>
            {busy ? "Going to the sign-in …" : signInWords(service)}
          </button>
          <a class="button button-quiet" href={hrefs.connections}>
            Cancel
          </a>
        </div>
      </form>
      {asking ? <LeaveDialog begun={asking} onLeave={leave} onStay={stay} /> : null}
    </>
  );
}
