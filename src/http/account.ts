import { Hono } from "hono";
import { viewPlan } from "./billing.ts";
import type { AppEnv } from "./context.ts";
import { requireUser } from "./session.ts";

/** Who is signed in, and what the page needs to know before anyone is. */
export const account = new Hono<AppEnv>()
  .get("/me", async (c) => {
    const user = await requireUser(c);
    const { keyring, site } = c.env.runtime;
    return c.json({
      id: user.id,
      email: user.email,
      workspace_id: user.workspace_id,
      identity: site.identity,
      plan: await viewPlan(user, c.env.runtime),
      storage_modes: keyring === undefined ? ["zero_knowledge"] : ["zero_knowledge", "managed"],
    });
  })
  .get("/config", (c) => {
    const { site } = c.env.runtime;
    return c.json({
      brand_name: site.brand,
      support_url: site.supportUrl ?? null,
      public_url: site.publicUrl,
      identity: { kind: site.identity, clerk_publishable_key: site.clerkPublishableKey ?? null },
    });
  });
