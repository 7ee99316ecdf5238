import { useCallback, useRef } from "hono/jsx/dom";
import type { Answer } from "../api.ts";
import { loadClerk, resumeClerk, type ClerkBrowser } from "../state/clerk.ts";
import { useAction } from "../state/use-action.ts";
import { useLoad } from "../state/use-load.ts";
import { useEffect } from "../state/use-effect.ts";

async function load(publishableKey: string): Promise<Answer<ClerkBrowser>> {
  try {
    return { ok: true, value: await loadClerk(publishableKey) };
  } catch {
    return { ok: false, failure: { kind: "no_answer" } };
  }
}

async function leave(clerk: ClerkBrowser): Promise<Answer<undefined>> {
  try {
    await clerk.signOut();
    return { ok: true, value: undefined };
  } catch {
    return { ok: false, failure: { kind: "no_answer" } };
  }
}

export function ClerkSignIn({ publishableKey }: { publishableKey: string }) {
  const start = useCallback(() => load(publishableKey), [publishableKey]);
  const { loaded, reload } = useLoad(start);
  const { failure, run } = useAction(leave, reload);
  if (loaded.state === "loading") {
    return (
      <div class="sign-in-way" role="status">
        <span class="sr-only">Loading the sign-in …</span>
        <div class="skeleton skeleton-clerk" aria-hidden="true" />
      </div>
    );
  }
  if (loaded.state === "failed" || failure !== undefined) {
    return (
      <div class="sign-in-way" role="alert">
        <p class="field-error">The sign-in could not be loaded.</p>
        <button type="button" class="button" onClick={reload}>
          Try again
        </button>
      </div>
    );
  }
  const clerk = loaded.value;
  // It has a sign-in that has ended here, or was refused: taking it up again unasked could go round in circles.
  if (clerk.session) {
    return (
      <div class="sign-in-way">
        <button type="button" class="button button-primary" onClick={() => resumeClerk(clerk)}>
          Try again
        </button>
        <button type="button" class="button" onClick={() => run(clerk)}>
          Use another account
        </button>
      </div>
    );
  }
  return (
    <div key="clerk" class="sign-in-way">
      <ClerkBox clerk={clerk} />
    </div>
  );
}

/** Clerk's own elements live in this one; the renderer leaves alone what it does not know. */
function ClerkBox({ clerk }: { clerk: ClerkBrowser }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    clerk.mountSignIn(element, { routing: "hash", withSignUp: true });
    return () => clerk.unmountSignIn(element);
  }, [clerk]);
  return <div ref={box} class="clerk" />;
}
