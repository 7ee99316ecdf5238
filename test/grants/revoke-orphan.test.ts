import { expect, it } from "vitest";
import { disconnect } from "../../src/connect/disconnect.ts";
import { revokeOrphan } from "../../src/grants/revoke.ts";
import { createWorld } from "../support/refresh/world.ts";

it("a sign-in that could not be stored revokes nothing while a live connection at its issuer would end with it", async () => {
  const world = await createWorld();
  const { grant } = await world.present();
  const { deps } = world.actor();
  const orphan = { ...grant, refresh_token: "of nobody" };
  const workspaceId = world.user.workspace_id;
  await revokeOrphan(orphan, workspaceId, undefined, deps);
  expect(world.provider.revoked).toEqual([]);
  await disconnect(world.user, world.id, { present: undefined, purge: true }, deps);
  await revokeOrphan(orphan, workspaceId, undefined, deps);
  expect(world.provider.revoked).toEqual(["of nobody"]);
});
