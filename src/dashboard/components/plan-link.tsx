import type { Failure } from "../api.ts";
import { hrefs } from "../state/route.ts";

/** Where a refusal is about what is paid for, the way to change that. */
export function PlanLink({ failure }: { failure: Failure }) {
  if (failure.kind !== "problem" || failure.code !== "connection_limit") return null;
  return (
    <p>
      <a class="link" href={hrefs.billing}>
        Plan and billing
      </a>
    </p>
  );
}
