import { useState } from "hono/jsx/dom";
import { api, type Answer, type Failure, type SignInInput } from "../api.ts";
import { safeHref } from "../format.ts";
import type { Begun } from "../schemas.ts";
import { rememberSignIn, type Pending } from "./sign-in-flow.ts";
import { isSameSite } from "./site.ts";
import { useAction } from "./use-action.ts";
import { useEffect } from "./use-effect.ts";

/** A provider that has not begun to answer by then is still waited for; the page can be used meanwhile. */
const departureMs = 8000;

type Wanted = Omit<Pending, "state"> & { input: Omit<SignInInput, "return_to"> };

interface SignIn {
  busy: boolean;
  failure: Failure | undefined;
  begin: (wanted: Wanted) => void;
  /** Set where the person should know both names before leaving. */
  asking: Begun | undefined;
  leave: () => void;
  stay: () => void;
}

async function authorize({ input, ...pending }: Wanted): Promise<Answer<Begun>> {
  const answer = await api.authorize({ ...input, return_to: location.origin });
  if (!answer.ok) return answer;
  // The address comes from somebody else's metadata: `javascript:` in it would run here.
  if (safeHref(answer.value.authorization_url) === undefined) {
    return { ok: false, failure: { kind: "unreadable", status: 200 } };
  }
  rememberSignIn({ ...pending, state: answer.value.state });
  return answer;
}

/** Begins a sign-in and goes to the provider in this tab, after asking where it is not of the server's own site. */
export function useSignIn(): SignIn {
  const [begun, setBegun] = useState<{ begun: Begun; leaving: boolean } | undefined>(undefined);
  const depart = (to: Begun) => {
    setBegun({ begun: to, leaving: true });
    location.assign(to.authorization_url);
    // Who stops the page from leaving is still here: the form serves again.
    setTimeout(() => setBegun(undefined), departureMs);
  };
  const { busy, failure, run } = useAction(authorize, (to) => {
    if (isSameSite(to.authorization_server, to.resource_server)) depart(to);
    else setBegun({ begun: to, leaving: false });
  });
  // Going back may show this very page again, from memory.
  useEffect(() => {
    const back = () => setBegun(undefined);
    addEventListener("pageshow", back);
    return () => removeEventListener("pageshow", back);
  }, []);
  return {
    busy: busy || begun?.leaving === true,
    failure,
    begin: run,
    asking: begun?.leaving === false ? begun.begun : undefined,
    leave: () => {
      if (begun) depart(begun.begun);
    },
    stay: () => setBegun(undefined),
  };
}
