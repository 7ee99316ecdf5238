import { Notice } from "../components/notice.tsx";
import { SecretText } from "../components/secret-text.tsx";
import { SnippetTabs } from "../components/snippet-tabs.tsx";
import { labelOf } from "../format.ts";
import type { Connection, Credential, Snippet } from "../schemas.ts";
import { useApp } from "../state/app-context.ts";
import { useViewHeading } from "../state/route.ts";
import { useEffect } from "../state/use-effect.ts";
import { useLeaveWarning } from "../state/use-leave-warning.ts";

interface Props {
  connection: Connection;
  credential: Credential;
  snippets: Snippet[];
  onDone: () => void;
}

/** The only time the credential is seen. Nothing leads away from here but the person's own word that it is saved. */
export function SaveCredential({ connection, credential, snippets, onDone }: Props) {
  const { announce, brand } = useApp();
  const heading = useViewHeading("Save your credential", brand);
  useLeaveWarning();
  useEffect(() => {
    // A browser may keep a page that was left, and show it again to whoever goes back.
    addEventListener("pagehide", onDone);
    return () => removeEventListener("pagehide", onDone);
  }, []);
  return (
    <div class="narrow">
      <p class="eyebrow">{`Connected: ${labelOf(connection)}`}</p>
      <h1 ref={heading} tabIndex={-1}>
        Save your credential now
      </h1>
      <Notice tone="warn" title="It is shown only this once.">
        <p>
          {`${brand} keeps no copy that could be shown again. Put it in your client or a password manager before you go on. Who holds it can use ${connection.service_name} as you.`}
        </p>
      </Notice>
      <div class="panel">
        <SecretText
          label="Secret URL"
          what="the secret URL"
          text={credential.secret_url}
          hint="For clients that take only an address. The whole credential is in it: treat it like a password."
          announce={announce}
        />
        <SecretText
          label="API key"
          what="the API key"
          text={credential.api_key}
          hint={`The same secret in the form for a header. Send it as a bearer token to ${credential.mcp_url}`}
          announce={announce}
        />
      </div>
      {snippets.length > 0 ? (
        <section aria-labelledby="snippets-title">
          <h2 id="snippets-title" class="section-title">
            Set up your client
          </h2>
          <SnippetTabs snippets={snippets} announce={announce} />
        </section>
      ) : null}
      <div class="leave">
        <p>After this, the credential is gone from the page.</p>
        <button type="button" class="button button-primary" onClick={onDone}>
          I have saved it
        </button>
      </div>
    </div>
  );
}
