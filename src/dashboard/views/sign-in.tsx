import { ClerkSignIn } from "../components/clerk-sign-in.tsx";
import { CopyButton } from "../components/copy-button.tsx";
import { Icon } from "../components/icons.tsx";
import { OidcSignIn } from "../components/oidc-sign-in.tsx";
import type { Config } from "../schemas.ts";
import type { SignedOutReason } from "../session.ts";
import { useViewHeading } from "../state/route.ts";

const greetings: Record<SignedOutReason, string | undefined> = {
  never: undefined,
  by_choice: "You are signed out, and this tab has forgotten your token.",
  only_here:
    "This tab has forgotten your token, but your identity provider did not answer: you may still be signed in there.",
  expired: "Your sign-in has ended. Sign in again to go on.",
  bad_link: "That sign-in link has expired or is incomplete. Get a new one.",
  erased: "Your account is deleted. Signing in again begins a new one.",
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
      <Way identity={config.identity} />
    </div>
  );
}

function Way({ identity }: { identity: Config["identity"] }) {
  const { kind, clerk_publishable_key: clerk, oidc } = identity;
  if (kind === "local") return <LocalSteps />;
  if (kind === "clerk" && clerk) return <ClerkSignIn publishableKey={clerk} />;
  if (kind === "oidc" && oidc) return <OidcSignIn oidc={oidc} />;
  return (
    <p class="greeting">
      {kind === "oidc"
        ? "Whoever runs this deployment has not set OIDC_CLIENT_ID, which this page signs in with. The JSON API takes the issuer's tokens."
        : "Whoever runs this deployment has not set up a way to sign in yet."}
    </p>
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
