import { outage, randomFaults } from "../storage-faults.ts";
import { people } from "../world.ts";
import { lookBack } from "./account.ts";
import { madeUpPaths } from "./calling.ts";
import { connectAs } from "./connecting.ts";
import { Unproven, type Operation } from "./operation.ts";

/** The statements that make somebody known are among the first of a request. */
const firstStatements = 5;

export const newWhileStorageFails: Operation = {
  name: "be new while D1 fails",
  weight: 1,
  run: async (world, dice) => {
    const statuses: number[] = [];
    for (let first = 1; first <= firstStatements; first += 1) {
      // Each statement of it fails for somebody else, whose address is bound to one of them.
      const user = `new${dice.text(8)}`;
      const troubled = world.whileStorageFails(outage("d1", first, world.secrets));
      const allowed = [{ rule: "the record of a person", owner: user }] as const;
      statuses.push((await troubled.api("GET me", user, "/api/me", { allowed })).status);
    }
    if (!statuses.some((status) => status >= 400))
      throw new Unproven(`D1 did not fail: ${statuses.join(", ")}`);
  },
};

export const connectWhileKvFails: Operation = {
  name: "connect while KV fails",
  weight: 1,
  run: async (world, dice) => {
    const troubled = world.whileStorageFails(outage("kv", 1, world.secrets));
    // D1 has it: the copy in KV is made later.
    world.connections.push(await connectAs(dice.pick(people), troubled, dice));
  },
};

export const oddAddressesWhileStorageFails: Operation = {
  name: "secrets in odd addresses while D1 fails",
  weight: 1,
  run: async (world, dice) => {
    // To each line that is printed of a failure the platform adds the address that was asked for.
    const troubled = world.whileStorageFails(outage("d1", 1, world.secrets));
    await lookBack.run(troubled, dice);
    await madeUpPaths.run(troubled, dice);
  },
};

/** Any of these at a deployment whose storage fails at random: what is promised then is tested elsewhere. */
export function anyWhileStorageFails(operations: readonly Operation[]): Operation {
  return {
    name: "any other of these while storage fails",
    weight: 18,
    run: async (world, dice) => {
      const troubled = world.whileStorageFails(randomFaults(dice, world.secrets));
      try {
        await dice.pick(operations).run(troubled, dice);
      } catch (error) {
        // It did not come about, which is what a fault does.
        if (!(error instanceof Unproven)) throw error;
      }
    },
  };
}
