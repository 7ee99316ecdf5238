import { useRef } from "hono/jsx/dom";
import { api, explain, type Failure, type SignInAnswer } from "../api.ts";
import { Notice } from "../components/notice.tsx";
import { PlanLink } from "../components/plan-link.tsx";
import { PresentField, readPresented } from "../components/present-field.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { useApp } from "../state/app-context.ts";
import { hrefs, useViewHeading } from "../state/route.ts";
import type { Returned } from "../state/sign-in-flow.ts";
import { useAction } from "../state/use-action.ts";
import { useFaultFocus } from "../state/use-fault-focus.ts";
import { useEffect } from "../state/use-effect.ts";
import type { OnConnected } from "../state/use-arrivals.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  returned: Returned;
  onConnected: OnConnected;
}

const wrongCredential: ReadonlySet<string> = new Set(["invalid_request", "credential_mismatch"]);

/** Back from the provider. Only now a credential to keep is asked for: before, it would have had to be stored. */
export function FinishSignIn({ returned, onConnected }: Props) {
  const { answer, pending } = returned;
  const { busy, failure, run } = useAction(api.complete, onConnected, { always: true });
  const [asks, setAsks] = useState(answer.code !== undefined && pending?.keep === true);
  const sent = useRef<SignInAnswer>(answer);
  useEffect(() => {
    if (!asks) run(answer);
  }, []);
  const complete = (more: { credential?: string }) => {
    if (busy) return;
    // A credential that is none, or not the present one, costs nothing; any other refusal ends this sign-in.
    setAsks("credential" in more);
    sent.current = { ...answer, ...more };
    run(sent.current);
  };
  const wrong = failure?.kind === "problem" && wrongCredential.has(failure.code);
  if (asks && (failure === undefined || wrong)) {
    return <Keep label={pending?.label} busy={busy} failure={failure} onDone={complete} />;
  }
  if (failure === undefined) return <Finishing label={pending?.label} />;
  return <NotFinished failure={failure} from={pending?.from} retry={() => run(sent.current ?? answer)} />;
}

function Finishing({ label }: { label: string | undefined }) {
  const { brand } = useApp();
  const heading = useViewHeading("Finishing the sign-in", brand);
  return (
    <div class="narrow">
      <h1 ref={heading} tabIndex={-1}>
        Finishing the sign-in
      </h1>
      <p class="lead">{label === undefined ? "One moment …" : `One moment: connecting ${label} …`}</p>
      <Skeleton what="your connection" kind="form" count={1} />
    </div>
  );
}

interface KeepProps {
  label: string | undefined;
  busy: boolean;
  failure: Failure | undefined;
  onDone: (more: { credential?: string }) => void;
}

function Keep({ label, busy, failure, onDone }: KeepProps) {
  const { brand } = useApp();
  const heading = useViewHeading("Keep your address", brand);
  const form = useFaultFocus(failure);
  const error = failure?.kind === "problem" ? failure.errors.get("credential") : undefined;
  const submit = (event: Event) => {
    event.preventDefault();
    // Space alone is shown as well, so that what is said of it is said beside the field.
    if (form.current) onDone({ credential: readPresented(new FormData(form.current)) ?? "" });
  };
  return (
    <div class="narrow">
      <h1 ref={heading} tabIndex={-1}>
        Keep your address and key
      </h1>
      <p class="lead">
        {`You are signed in. Show what ${label ?? "this connection"} is used with now, and it stays; the service holds its answer for a minute or so.`}
      </p>
      <form ref={form} class="panel" autocomplete="off" onSubmit={submit}>
        <PresentField
          help="From your client's configuration or your password manager. It is used for this one step and stored nowhere."
          error={error}
        />
        <div role="alert">{failure && !error ? <p class="field-error">{explain(failure)}</p> : null}</div>
        <div class="actions">
          <button type="submit" class="button button-primary" aria-disabled={busy ? "true" : "false"}>
            {busy ? "Finishing …" : "Keep this one"}
          </button>
          <button
            type="button"
            class="button button-quiet"
            aria-disabled={busy ? "true" : "false"}
            onClick={() => onDone({})}
          >
            Get a new one instead
          </button>
        </div>
      </form>
    </div>
  );
}

interface NotFinishedProps {
  failure: Failure;
  from: string | undefined;
  retry: () => void;
}

function NotFinished({ failure, from, retry }: NotFinishedProps) {
  const { brand } = useApp();
  const again = from?.startsWith(hrefs.again("")) === true;
  const title = again ? "Not signed in again" : "Not connected";
  const heading = useViewHeading(title, brand);
  useEffect(() => heading.current?.focus(), []);
  return (
    <div class="narrow">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <div role="alert">
        <Notice tone="bad">
          <p>{explain(failure)}</p>
          <PlanLink failure={failure} />
          {failure.kind === "problem" ? (
            again ? (
              <p>The connection is as it was.</p>
            ) : null
          ) : (
            <p>
              If a new connection shows in your list all the same, its credential is lost: re-authorize it
              there.
            </p>
          )}
        </Notice>
      </div>
      <div class="actions">
        <a class="button button-primary" href={from ?? hrefs.gallery}>
          Begin again
        </a>
        {failure.kind === "no_answer" ? (
          <button type="button" class="button" onClick={retry}>
            Try once more
          </button>
        ) : null}
        <a class="button button-quiet" href={hrefs.connections}>
          To your connections
        </a>
      </div>
    </div>
  );
}
