import type { ApiToken, TokenMade } from "../account-schemas.ts";
import { api } from "../api.ts";
import { ConfirmDialog } from "../components/confirm-dialog.tsx";
import { Icon } from "../components/icons.tsx";
import { LoadFailure, Notice } from "../components/notice.tsx";
import { SecretText } from "../components/secret-text.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { TokenForm } from "../components/token-form.tsx";
import { ViewHead } from "../components/view-head.tsx";
import { When } from "../components/when.tsx";
import { useApp } from "../state/app-context.ts";
import { useAction } from "../state/use-action.ts";
import { useLeaveWarning } from "../state/use-leave-warning.ts";
import { useLoad } from "../state/use-load.ts";
import { useState } from "../state/use-state.ts";

export function Tokens() {
  const { announce } = useApp();
  const { loaded, reload } = useLoad(api.tokens);
  const [making, setMaking] = useState(false);
  // Only in memory: leaving the view or a reload forgets it.
  const [made, setMade] = useState<TokenMade | undefined>(undefined);
  const created = (token: TokenMade) => {
    setMade(token);
    setMaking(false);
    reload();
    document.querySelector("h1")?.focus();
  };
  const revoked = (token: ApiToken) => {
    announce(`Revoked ${token.name}.`);
    if (made?.token.id === token.id) setMade(undefined);
    reload();
    document.querySelector("h1")?.focus({ preventScroll: true });
  };
  const idle = !making && made === undefined;
  return (
    <>
      <ViewHead
        title="API tokens"
        lead={
          <>
            For programs that do what this page does.{" "}
            <a class="link" href="/docs">
              How to use the API
            </a>
          </>
        }
      >
        {idle ? (
          <button type="button" class="button button-primary" onClick={() => setMaking(true)}>
            <Icon name="plus" />
            New token
          </button>
        ) : null}
      </ViewHead>
      {making ? <TokenForm onMade={created} onClose={() => setMaking(false)} /> : null}
      {made ? <Made made={made} onDone={() => setMade(undefined)} /> : null}
      {loaded.state === "loading" ? <Skeleton what="your tokens" kind="row" count={2} /> : null}
      {loaded.state === "failed" ? (
        <LoadFailure what="Your tokens" failure={loaded.failure} retry={reload} />
      ) : null}
      {loaded.state === "ready" ? <List tokens={loaded.value.tokens} onRevoked={revoked} /> : null}
    </>
  );
}

function Made({ made, onDone }: { made: TokenMade; onDone: () => void }) {
  const { announce } = useApp();
  useLeaveWarning();
  return (
    <section class="panel made" aria-label="New token">
      <Notice tone="warn" title="It is shown only this once.">
        <p>Put it where your program reads its secrets. Who holds it acts in your account.</p>
      </Notice>
      <SecretText
        label={made.token.name}
        what="the token"
        text={made.secret}
        hint="Send it as Authorization: Bearer, followed by the token."
        announce={announce}
      />
      <div class="actions">
        <button type="button" class="button button-primary" onClick={onDone}>
          I have saved it
        </button>
      </div>
    </section>
  );
}

function List({ tokens, onRevoked }: { tokens: readonly ApiToken[]; onRevoked: (token: ApiToken) => void }) {
  if (tokens.length === 0) {
    return (
      <div class="placeholder placeholder-small">
        <Icon name="key" />
        <h2>No tokens yet</h2>
        <p>
          A script, a CI job or an agent can list, connect and watch your services with a token of its own.
        </p>
      </div>
    );
  }
  return (
    <ul class="rows rows-tokens" aria-label="API tokens">
      {tokens.map((token) => (
        <Row key={token.id} token={token} onRevoked={onRevoked} />
      ))}
    </ul>
  );
}

function Row({ token, onRevoked }: { token: ApiToken; onRevoked: (token: ApiToken) => void }) {
  const [asking, setAsking] = useState(false);
  const { busy, failure, run, forget } = useAction(api.revokeToken, () => {
    setAsking(false);
    onRevoked(token);
  });
  const ask = () => {
    forget();
    setAsking(true);
  };
  return (
    <li class={token.expired ? "row row-token row-gone" : "row row-token"}>
      <div class="row-name">
        <h2>{token.name}</h2>
        <p class="row-service">
          <code translate="no">{`${token.prefix}…`}</code>
        </p>
      </div>
      <dl class="row-facts">
        <div>
          <dt>May</dt>
          <dd>{token.scope === "manage" ? "Read and change" : "Read"}</dd>
        </div>
        <div>
          <dt>Last used</dt>
          <dd>
            <When iso={token.last_used_at} />
          </dd>
        </div>
        <div>
          <dt>{token.expired ? "Expired" : "Expires"}</dt>
          <dd>
            <When iso={token.expires_at} />
          </dd>
        </div>
      </dl>
      <div class="row-actions">
        <button
          type="button"
          class="button button-quiet button-quiet-danger"
          aria-label={`Revoke ${token.name}`}
          onClick={ask}
        >
          Revoke
        </button>
      </div>
      {asking ? (
        <ConfirmDialog
          title={`Revoke ${token.name}?`}
          action={busy ? "Revoking …" : "Revoke"}
          dismiss="Keep it"
          tone="danger"
          busy={busy}
          failure={failure}
          onConfirm={() => run(token.id)}
          onClose={() => setAsking(false)}
        >
          <p>Whatever uses it is refused from now on. A revoked token does not come back.</p>
        </ConfirmDialog>
      ) : null}
    </li>
  );
}
