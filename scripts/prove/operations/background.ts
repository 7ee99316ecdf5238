import { fingerprintOf, requestStatements } from "../../../src/store/rotation-queries.ts";
import { parseKeyring } from "../../../src/vault/keyring.ts";
import type { World } from "../world.ts";
import { anyHeld, type Operation } from "./operation.ts";

async function tick(world: World): Promise<void> {
  await world.instance.runCron();
}

export const background: Operation = {
  name: "the schedule, with renewals and checks due",
  weight: 2,
  run: async (world, dice) => {
    for (const { site, ended } of world.connections) {
      if (!ended && dice.chance(0.2)) site.grants.push(dice.pick(["503", "odd error", "invalid_grant"]));
      if (!ended && dice.chance(0.2)) site.calls.push("401");
    }
    await world.storage.change(
      "UPDATE connections SET due_at = 0, retry_at = 0 WHERE storage = 'managed' AND status = 'active'",
    );
    await tick(world);
  },
};

/** SQL for a time in the past, as the database counts. */
function ago(days: number): string {
  return `CAST(unixepoch('subsec') * 1000 AS INTEGER) - ${days * 86_400_000}`;
}

export const remind: Operation = {
  name: "reminders and mail",
  weight: 2,
  run: async (world, dice) => {
    const held = anyHeld(world, dice);
    if (held === undefined) return;
    const { id } = held;
    await world.storage.change(`UPDATE connections SET reauth_since = ${ago(8)} WHERE id = '${id}'`);
    await world.storage.change(`UPDATE connections SET authorized_at = ${ago(340)} WHERE id = '${id}'`);
    if (dice.chance(0.4)) world.mail.modes.push(dice.pick(["refused", "failing"]));
    await tick(world);
    await world.storage.change("UPDATE mail_queue SET next_at = 0 WHERE ended_at IS NULL");
    await tick(world);
  },
};

export const rotate: Operation = {
  name: "rotate master keys and re-encrypt",
  weight: 1,
  run: async (world) => {
    const keyring = await parseKeyring({ keys: JSON.stringify([{ key: world.masterKeys[1] }]) });
    const target = fingerprintOf(keyring?.active.fingerprint ?? "");
    // The other deployment counts as one that is about to get the key; nobody lacks it.
    for (const sql of requestStatements(target, true).split(/;\n/)) {
      if (sql.trim() !== "") await world.storage.change(sql.replace(/;$/, ""));
    }
    for (let step = 0; step < 4; step += 1) {
      await world.storage.change(
        "UPDATE rotations SET requested_at = requested_at - 1200000 WHERE finished_at IS NULL",
      );
      await world.storage.change("UPDATE data_keys SET created_at = created_at - 1200000");
      await tick(world);
      await world.storage.noteDataKeys();
    }
  },
};

export const purge: Operation = {
  name: "delete what has had its time",
  weight: 1,
  run: async (world) => {
    const month = 31 * 86_400_000;
    await world.storage.change(
      `UPDATE connections SET disconnected_at = disconnected_at - ${month} WHERE disconnected_at IS NOT NULL`,
    );
    await world.storage.change("UPDATE superseded_blobs SET delete_after = 0");
    await world.storage.change(`UPDATE flows SET expires_at = 0 WHERE created_at < ${ago(1 / 1440)}`);
    await tick(world);
  },
};
