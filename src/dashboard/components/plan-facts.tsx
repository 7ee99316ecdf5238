import type { Billing } from "../billing-schemas.ts";
import { count, dateWords } from "../format.ts";
import { isChangeable } from "../plan-words.ts";
import { hrefs } from "../state/route.ts";

/** The plan in numbers. */
export function PlanFacts({ billing }: { billing: Billing }) {
  const { plan, connections, subscription } = billing;
  const { active, suspended } = connections;
  const end = subscription?.cancel_at ?? subscription?.current_period_end;
  return (
    <dl class="facts">
      <div>
        <dt>Connections in use</dt>
        <dd>{count(active)}</dd>
      </div>
      {suspended > 0 ? (
        <div>
          <dt>Suspended</dt>
          <dd>
            {active > 0 ? `${count(suspended)}, the newest ` : `${count(suspended)} `}
            <a class="link" href={hrefs.connections}>
              Show
            </a>
          </dd>
        </div>
      ) : null}
      <div>
        <dt>Your plan allows</dt>
        <dd>{plan.allowed === null ? "Any number" : count(plan.allowed)}</dd>
      </div>
      {isChangeable(billing) && end ? (
        <div>
          <dt>{subscription?.cancel_at ? "Ends" : "Renews"}</dt>
          <dd>{dateWords(end)}</dd>
        </div>
      ) : null}
    </dl>
  );
}
