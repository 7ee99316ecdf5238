import { api, type Answer, type Failure, type SignInInput } from "../api.ts";
import { safeHref } from "../format.ts";
import type { Begun } from "../schemas.ts";
import { rememberSignIn, type Pending } from "./sign-in-flow.ts";
import { isSameSite } from "./site.ts";
import { useAction } from "./use-action.ts";
import { useLeaving } from "./use-departure.ts";
import { useState } from "./use-state.ts";

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
  const [asking, setAsking] = useState<Begun | undefined>(undefined);
  const { leaving, leave } = useLeaving();
  const depart = (to: Begun) => {
    setAsking(undefined);
    leave(() => location.assign(to.authorization_url));
  };
  const { busy, failure, run } = useAction(authorize, (to) => {
    if (isSameSite(to.authorization_server, to.resource_server)) depart(to);
    else setAsking(to);
  });
  return {
    busy: busy || leaving,
    failure,
    begin: (wanted) => {
      if (!leaving) run(wanted);
    },
    asking,
    leave: () => {
      if (asking) depart(asking);
    },
    stay: () => setAsking(undefined),
  };
}
