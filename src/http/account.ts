import { Hono } from "hono";
import { Fault } from "../lib/fault.ts";
import { second } from "../lib/clock.ts";
import { eraseAccount, leftAtServices } from "../connect/erase.ts";
import { hashPerson } from "../identity/api-token.ts";
import { viewPlan } from "./billing.ts";
import type { AppEnv, Site } from "./context.ts";
import { readJson } from "./json-body.ts";
import { deletion } from "./schemas/account.ts";
import { requireUser } from "./session.ts";

/** How long a deletion goes on before it is answered, ms; the rest is the minute job's. */
const deletionBudget = 15 * second;

/** Who is signed in, and what the page needs to know before anyone is. */
export const account = new Hono<AppEnv>()
  .get("/me", async (c) => {
    const session = await requireUser(c, "read");
    const { keyring, site, stores, auditDays } = c.env.runtime;
    return c.json({
      id: session.id,
      email: session.email,
      name: session.name,
      workspace_id: session.workspace_id,
      identity: site.identity,
      plan: await viewPlan(session, c.env.runtime),
      storage_modes: keyring === undefined ? ["zero_knowledge"] : ["zero_knowledge", "managed"],
      access: session.access,
      audit_days: (await stores.auditRead.days(session.workspace_id)) ?? auditDays,
    });
  })
  .delete("/account", async (c) => {
    // Also where the deletion is under way: an answer that was lost can be asked for again.
    const { workspace_id: workspaceId, identity } = await requireUser(c, "owner", "closing");
    await readJson(c.req.raw, deletion);
    if (identity === null) throw new Fault("owner_only");
    const { runtime } = c.env;
    const person = await hashPerson(identity);
    await runtime.stores.erasures.begin(person, workspaceId);
    const left = await leftAtServices(workspaceId, "ended", runtime);
    const done = await eraseAccount({ person, workspace_id: workspaceId }, deletionBudget, runtime);
    const pending = done.status === "erased" ? [] : await leftAtServices(workspaceId, "pending", runtime);
    const body = { status: done.status, left_at_services: [...left, ...done.left, ...pending] };
    return c.json(body, done.status === "erased" ? 200 : 202);
  })
  .get("/config", (c) => {
    const { site, desk } = c.env.runtime;
    return c.json({
      brand_name: site.brand,
      support_url: site.supportUrl ?? null,
      public_url: site.publicUrl,
      identity: {
        kind: site.identity,
        clerk_publishable_key: site.clerkPublishableKey ?? null,
        oidc: viewOidc(site),
      },
      support_form: desk !== undefined,
    });
  });

function viewOidc({ oidc }: Site): { issuer: string; client_id: string; audience: string } | null {
  return oidc === undefined
    ? null
    : { issuer: oidc.issuer, client_id: oidc.clientId, audience: oidc.audience };
}
