import { hostOf } from "../format.ts";
import { beginOidc, currentOidc, onOidcChange, type OidcConfig } from "../state/oidc.ts";
import { useStore } from "../state/use-store.ts";

export function OidcSignIn({ oidc }: { oidc: OidcConfig }) {
  const state = useStore(onOidcChange, currentOidc);
  const busy = state.step === "working";
  const begin = () => {
    if (!busy) void beginOidc(oidc);
  };
  return (
    <div class="sign-in-way">
      <button
        type="button"
        class="button button-primary"
        aria-disabled={busy ? "true" : "false"}
        onClick={begin}
      >
        {busy ? "Signing in …" : `Sign in with ${hostOf(oidc.issuer)}`}
      </button>
      <p class="field-error" role="alert">
        {state.step === "failed" ? state.sentence : ""}
      </p>
    </div>
  );
}
