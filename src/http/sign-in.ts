import { Hono } from "hono";
import { Fault } from "../lib/fault.ts";
import { beginSignIn } from "../connect/begin.ts";
import { completeSignIn } from "../connect/complete.ts";
import { createdView } from "./connection-view.ts";
import type { AppEnv, Runtime } from "./context.ts";
import { parseJson, readBody, readJson } from "./json-body.ts";
import { once } from "./once.ts";
import { readPresented } from "./presented.ts";
import { isLoopbackPort } from "./return-to.ts";
import { signInAnswer, signInBegin } from "./schemas/connections.ts";
import { requireUser } from "./session.ts";

/** Signing in to a service, in two steps with the provider between them. */
export const signIn = new Hono<AppEnv>()
  .post("/authorize", async (c) => {
    const user = await requireUser(c, "manage");
    const wanted = await readJson(c.req.raw, signInBegin);
    const { runtime } = c.env;
    const begun = await beginSignIn(user, wanted, returnTarget(wanted.return_to, runtime), runtime);
    return c.json({
      authorization_url: begun.authorizationUrl,
      state: begun.state,
      expires_at: new Date(begun.expiresAt).toISOString(),
      authorization_server: begun.authorizationServer,
      resource_server: begun.resourceServer,
    });
  })
  .post("/complete", async (c) => {
    const session = await requireUser(c, "manage");
    const body = await readBody(c.req.raw);
    const given = parseJson(body, signInAnswer);
    const { runtime } = c.env;
    return await once(c, session, body, async () => {
      const credential = readPresented(given.credential, "credential", runtime);
      const signedIn = await completeSignIn(session, { ...given, credential }, runtime);
      const created = createdView(signedIn, runtime);
      return { ...created, body: { ...created.body, extra_scope: signedIn.extraScope } };
    });
  });

/** The page's origin, or a program on a loopback port. Nothing else: an open redirect would leak the code. */
function returnTarget(wanted: string | undefined, runtime: Runtime): string {
  const { adminUrls } = runtime.site;
  if (wanted === undefined) return adminUrls[0];
  if (adminUrls.includes(wanted) || isLoopbackPort(wanted)) return wanted;
  const message = "must be the origin of the dashboard, or http://127.0.0.1:<port>/<path> of a program.";
  throw new Fault("invalid_request", { errors: [{ path: "return_to", message }] });
}
