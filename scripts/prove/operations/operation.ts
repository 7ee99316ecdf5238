import type { Dice } from "../dice.ts";
import type { Held, World } from "../world.ts";

/** One thing that people, programs, services or time do. To prove more, add one to the table. */
export interface Operation {
  readonly name: string;
  /** How often it is drawn, against the others. */
  readonly weight: number;
  readonly run: (world: World, dice: Dice) => Promise<void>;
}

/** Something did not happen that the proof stands on: what was looked through would be too little. */
export class Unproven extends Error {
  override readonly name = "Unproven";
}

/** A connection in use that fits; undefined where there is none. */
export function anyHeld(
  { connections }: World,
  dice: Dice,
  fits: (held: Held) => boolean = () => true,
): Held | undefined {
  const found = connections.filter((held) => !held.ended && fits(held));
  return found.length === 0 ? undefined : dice.pick(found);
}

export const rpc = JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/list" });
export const rpcHeaders = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
} as const;
