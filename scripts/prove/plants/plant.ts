import type { SourcePatch } from "../../../test/support/node/source-patches.ts";
import type { Sink } from "../evidence.ts";
import { callWith } from "../operations/calling.ts";
import { refreshWith } from "../operations/changing.ts";
import type { Operation } from "../operations/operation.ts";
import type { Kind } from "../secrets.ts";
import type { CallMode, TokenMode } from "../site.ts";

/** A leak put into the worker on purpose: the proof is worth something only if it finds each of them. */
export interface Plant extends SourcePatch {
  readonly name: string;
  /** What brings it out, after a connection by key and one by sign-in were made. */
  readonly operations: readonly Operation[];
  /** Where it must be found. */
  readonly sink: Sink;
  readonly place: RegExp;
  /** What must be found there, where that is said; else any secret. */
  readonly kind?: Kind;
  /** No grant opens any more: what others need does not happen in its build. */
  readonly alone?: true;
}

/** One of the faults that operations draw, for a plant that needs just it. */
export const callingWith = (mode: CallMode): Operation => ({
  name: `call: ${mode}`,
  weight: 0,
  run: async (world, dice) => await callWith(world, dice, mode),
});
export const refreshingWith = (mode: TokenMode): Operation => ({
  name: `renew: ${mode}`,
  weight: 0,
  run: async (world, dice) => await refreshWith(world, dice, mode),
});
