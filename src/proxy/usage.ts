import type { Clock } from "../lib/clock.ts";
import type { Defer } from "../lib/defer.ts";
import type { AdmissionRow } from "../store/connections.ts";
import type { Stores } from "../store/index.ts";

/** When this isolate last wrote a connection's use. Bounded; what falls out costs one conditional write. */
const written = new Map<string, number>();
const remembered = 5000;

/** Keeps `last_used_at` roughly true: after the answer, at most one write per connection and interval (ms). */
export function noteUse(
  row: Pick<AdmissionRow, "id" | "last_used_at">,
  interval: number,
  deps: { readonly clock: Clock; readonly defer: Defer; readonly stores: Pick<Stores, "connections"> },
): void {
  const now = deps.clock();
  const last = Math.max(row.last_used_at ?? 0, written.get(row.id) ?? 0);
  if (now - last < interval) return;
  if (written.size >= remembered) written.clear();
  written.set(row.id, now);
  deps.defer("touch_last_used", deps.stores.connections.touch(row.id, interval));
}
