import type { Erased } from "../account-schemas.ts";
import { api } from "../api.ts";
import { BillingPanel } from "../components/billing-panel.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { TypedDialog } from "../components/typed-dialog.tsx";
import { ViewHead } from "../components/view-head.tsx";
import type { Me } from "../schemas.ts";
import { useAction } from "../state/use-action.ts";
import { useState } from "../state/use-state.ts";

interface Props {
  me: Me | undefined;
  /** The section that was asked for. */
  at?: "billing";
  onErased: (erased: Erased) => void;
}

/** What belongs to the person rather than to one connection: a section each, in the order of how often they matter. */
export function Account({ me, at, onErased }: Props) {
  const paid = me !== undefined && hasBilling(me);
  return (
    <div class="detail">
      <ViewHead
        title="Account"
        lead={
          paid
            ? "Who you are here, what you pay for, and how to leave."
            : "Who you are here, and how to leave."
        }
      />
      {me === undefined ? <Skeleton what="your account" kind="form" count={1} /> : <Profile me={me} />}
      {paid ? <BillingPanel asked={at === "billing"} /> : null}
      {me === undefined ? null : <Deletion onErased={onErased} />}
    </div>
  );
}

/** A deployment without billing says so, or does not know the word: nothing of it may show then. */
export const hasBilling = ({ plan }: Me): boolean => plan !== undefined && plan.name !== "self_hosted";

const waysIn: Record<string, string> = {
  local: "Link of this machine",
  clerk: "Clerk",
  oidc: "Your identity provider",
};

function Profile({ me }: { me: Me }) {
  const facts: [string, string][] = [
    ["Name", me.name ?? ""],
    ["E-mail", me.email ?? "None: reminders show in this page alone"],
    ["Signed in with", waysIn[me.identity] ?? me.identity],
    ["Account id", me.id],
    ["Workspace id", me.workspace_id],
  ];
  return (
    <section class="panel" aria-labelledby="profile-title">
      <h2 id="profile-title">Profile</h2>
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class={name.endsWith("id") ? "fact-id" : undefined}>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

const phrase = "delete my account";

function Deletion({ onErased }: { onErased: (erased: Erased) => void }) {
  const [asking, setAsking] = useState(false);
  const { busy, failure, run, forget } = useAction(api.erase, onErased, { always: true });
  const ask = () => {
    forget();
    setAsking(true);
  };
  return (
    <section class="panel panel-danger" aria-labelledby="deletion-title">
      <div class="panel-head">
        <div>
          <h2 id="deletion-title">Delete the account</h2>
          <p class="hint">
            Ends every connection and deletes all that is stored, your name and address included. What only
            you can open is listed afterwards, so that you can end it at the services.
          </p>
        </div>
        <button type="button" class="button button-danger" onClick={ask}>
          Delete the account
        </button>
      </div>
      {asking ? (
        <TypedDialog
          title="Delete your account?"
          action="Delete my account"
          phrase={phrase}
          busy={busy}
          failure={failure}
          onConfirm={() => run(phrase)}
          onClose={() => setAsking(false)}
        >
          <p>
            Every secret URL, API key and token stops working at once, and the activity log is deleted with
            the rest. Export it first if you want to keep it. Nobody can bring any of it back.
          </p>
        </TypedDialog>
      ) : null}
    </section>
  );
}
