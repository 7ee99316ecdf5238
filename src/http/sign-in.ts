import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../lib/fault.ts";
import { beginSignIn } from "../connect/begin.ts";
import { completeSignIn } from "../connect/complete.ts";
import { viewResult } from "./connection-view.ts";
import type { AppEnv, Runtime } from "./context.ts";
import { label } from "./fields.ts";
import { readJson } from "./json-body.ts";
import { readPresented } from "./presented.ts";
import { isLoopbackPort } from "./return-to.ts";
import { requireUser } from "./session.ts";

const begin = z
  .strictObject({
    service: z.string().max(40).optional(),
    url: z.string().max(2048).optional(),
    storage: z.enum(["zero_knowledge", "managed"]).optional(),
    label: label.optional(),
    reauthorize: z.string().max(60).optional(),
    client: z
      .strictObject({ id: z.string().min(1).max(500), secret: z.string().max(500).optional() })
      .optional(),
    return_to: z.string().max(500).optional(),
  })
  .refine(({ service, reauthorize }) => (service === undefined) !== (reauthorize === undefined), {
    error: "Give either service or reauthorize.",
    path: ["service"],
  });

const answer = z.strictObject({
  state: z.string().min(1).max(200),
  code: z.string().min(1).max(4096).optional(),
  iss: z.string().max(2048).optional(),
  error: z.string().max(200).optional(),
  error_description: z.string().max(2000).optional(),
  credential: z.string().max(300).optional(),
});

/** Signing in to a service, in two steps with the provider between them. */
export const signIn = new Hono<AppEnv>()
  .post("/authorize", async (c) => {
    const user = await requireUser(c);
    const wanted = await readJson(c.req.raw, begin);
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
    const user = await requireUser(c);
    const given = await readJson(c.req.raw, answer);
    const { runtime } = c.env;
    const credential = readPresented(given.credential, "credential", runtime);
    const signedIn = await completeSignIn(user, { ...given, credential }, runtime);
    return c.json({ ...viewResult(signedIn, runtime), extra_scope: signedIn.extraScope }, 201);
  });

/** The page's origin, or a program on a loopback port. Nothing else: an open redirect would leak the code. */
function returnTarget(wanted: string | undefined, runtime: Runtime): string {
  const { adminUrls } = runtime.site;
  if (wanted === undefined) return adminUrls[0];
  if (adminUrls.includes(wanted) || isLoopbackPort(wanted)) return wanted;
  const message = "must be the origin of the dashboard, or http://127.0.0.1:<port>/<path> of a program.";
  throw new Fault("invalid_request", { errors: [{ path: "return_to", message }] });
}
