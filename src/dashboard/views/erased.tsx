import type { Erased as Result } from "../account-schemas.ts";
import { ExternalLink } from "../components/external-link.tsx";
import { Notice } from "../components/notice.tsx";
import { plural } from "../format.ts";
import { signOut } from "../session.ts";
import { useApp } from "../state/app-context.ts";
import { useViewHeading } from "../state/route.ts";
import { useLeaveWarning } from "../state/use-leave-warning.ts";

/** The last page of an account: what is left to do, and only this person can do. */
export function Erased({ result }: { result: Result }) {
  const { brand } = useApp();
  const heading = useViewHeading("Account deleted", brand);
  const left = result.left_at_services;
  return (
    <div class="narrow">
      <h1 ref={heading} tabIndex={-1}>
        Your account is deleted
      </h1>
      <p class="lead">
        {result.status === "erased"
          ? "Every secret URL, key and token has stopped working, and what was stored is gone."
          : "Every secret URL, key and token has stopped working. The rest is being deleted now, by itself."}
      </p>
      {left.length === 0 ? (
        <Notice tone="info" title="Nothing is left at the services">
          <p>Every access was ended there too, or there was none.</p>
        </Notice>
      ) : (
        <Left left={left} />
      )}
      <div class="actions">
        <button type="button" class="button button-primary" onClick={() => void signOut("erased")}>
          Done
        </button>
      </div>
    </div>
  );
}

function Left({ left }: { left: Result["left_at_services"] }) {
  useLeaveWarning();
  return (
    <section class="panel" aria-labelledby="left-title">
      <h2 id="left-title">Left for you to end</h2>
      <p class="hint">This list is shown only now. Keep a copy if you cannot do it at once.</p>
      <ul class="deeds">
        {left.map((each) => (
          <li key={`${each.service} ${each.kind}`}>
            <div>
              <h3>{`${each.service_name}: ${leftWords(each.kind, each.connections)}`}</h3>
              <p class="hint">{each.reason}</p>
            </div>
            <ExternalLink url={each.provider_url} class="button">
              {`Open ${each.service_name}`}
            </ExternalLink>
          </li>
        ))}
      </ul>
    </section>
  );
}

const leftWords = (kind: string, connections: number): string =>
  kind === "key" ? plural(connections, "key") : plural(connections, "sign-in");
