import { Fault } from "../lib/fault.ts";
import { newId } from "../connect/mint.ts";
import type { User } from "../store/users.ts";
import type { AppContext } from "./context.ts";

/** The signed-in user of an API request, made on first sight. Only the bearer header counts: there are no cookies. */
export async function requireUser(c: AppContext): Promise<User> {
  const { verify, stores, limits, random } = c.env.runtime;
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if (token === undefined) throw new Fault("unauthenticated");
  const identity = await verify(token);
  const ids = { user: newId("usr", random), workspace: newId("wsp", random) };
  const user = await stores.users.provision(identity, ids);
  if (!(await limits.user(user.id))) throw new Fault("rate_limited", { retryAfter: 60 });
  return user;
}
