import { CopyButton } from "../components/copy-button.tsx";
import { Icon } from "../components/icons.tsx";
import type { Config } from "../schemas.ts";
import type { SignedOutReason } from "../session.ts";
import { useViewHeading } from "../state/route.ts";

const greetings: Record<SignedOutReason, string | undefined> = {
  never: undefined,
  by_choice: "You are signed out, and this tab has forgotten your token.",
  expired: "Your sign-in has ended. Get a new link to go on.",
  bad_link: "That sign-in link has expired or is incomplete. Get a new one.",
};

export function SignIn({ config, reason }: { config: Config; reason: SignedOutReason }) {
  const heading = useViewHeading("Sign in", config.brand_name);
  const greeting = greetings[reason];
  return (
    <div class="sign-in">
      <span class="sign-in-mark">
        <Icon name="brand" />
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {`Sign in to ${config.brand_name}`}
      </h1>
      <p class="lead">
        Connect a service once, then use it from every AI client with one secret URL or API key.
      </p>
      <div role="status">{greeting ? <p class="greeting">{greeting}</p> : null}</div>
      {config.identity.kind === "local" ? <LocalSteps /> : <ElsewhereSteps />}
    </div>
  );
}

/** Possession of the instance's key file is the identity, so a link made beside it is the way in. */
function LocalSteps() {
  return (
    <ol class="steps">
      <li>
        <h2>Open the link that was printed</h2>
        <p>
          This instance runs on your own machine and knows no password. When <code>npm start</code> was ready,
          it printed a sign-in link: open it in this browser.
        </p>
      </li>
      <li>
        <h2>Or print a new one</h2>
        <p>The link works for twelve hours. In the project's folder, run:</p>
        <div class="command">
          <code translate="no">npm run -s token -- --link</code>
          <CopyButton what="the command" text="npm run -s token -- --link" announce={() => undefined} />
        </div>
      </li>
    </ol>
  );
}

function ElsewhereSteps() {
  return (
    <p class="greeting">
      This deployment has its own identity provider, which this version of the page cannot sign in with yet.
      The JSON API takes its tokens.
    </p>
  );
}
