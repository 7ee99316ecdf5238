import { toHex } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";

/** A place among the ids of workspaces: a run that cannot reach all of them begins at another each time. */
export function somewhere(random: Random): string {
  return `wsp_${toHex(random(16))}`;
}
