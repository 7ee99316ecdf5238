import { Hono } from "hono";
import { Fault } from "../lib/fault.ts";
import { hashState } from "../connect/flow.ts";
import { clientDocumentUrl, redirectUri } from "../connect/oauth-client.ts";
import type { AppEnv } from "./context.ts";
import { plainHeaders, problem } from "./problem.ts";
import { isLoopbackPort } from "./return-to.ts";

/** What a provider may answer with (RFC 6749 §4.1.2, RFC 9207). */
const handedOn = ["state", "code", "iss", "error", "error_description"] as const;

/** What providers talk to: where they send people back to, and our client document. */
export const oauth = new Hono<AppEnv>()
  .get("/callback", async (c) => {
    const { runtime } = c.env;
    const query = new URL(c.req.url).searchParams;
    const state = query.get("state");
    // RFC 6749 §3.1: a parameter that comes twice is an attack or a mistake; which one counts must not be guessed.
    const twice = handedOn.some((name) => query.getAll(name).length > 1);
    if (state === null || twice) return problem(new Fault("sign_in_unknown"));
    const target = (await runtime.stores.flows.returnTo(await hashState(state))) ?? runtime.site.adminUrls[0];
    const answer = new URLSearchParams();
    for (const name of handedOn) {
      const value = query.get(name);
      if (value !== null) answer.set(name, value);
    }
    // To the page in the fragment, which no server and no log sees; a program reads the query.
    const program = isLoopbackPort(target) && !runtime.site.adminUrls.includes(target);
    const location = program ? `${target}?${answer.toString()}` : `${target}/#/callback?${answer.toString()}`;
    return new Response(null, { status: 303, headers: { ...plainHeaders, location } });
  })
  .get("/client.json", (c) => {
    const { brand, publicUrl } = c.env.runtime.site;
    // Client ID Metadata Document: `client_id` is this very address.
    return c.json(
      {
        client_id: clientDocumentUrl(publicUrl),
        client_name: brand,
        client_uri: publicUrl,
        redirect_uris: [redirectUri(publicUrl)],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
        application_type: "web",
      },
      200,
      { "cache-control": "public, max-age=3600" },
    );
  });
