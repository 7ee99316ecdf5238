import { useCallback } from "hono/jsx/dom";
import { api } from "../api.ts";
import { useLoad } from "../state/use-load.ts";
import { ActivityChart } from "./activity-chart.tsx";
import { Chips } from "./chips.tsx";
import { LoadFailure } from "./notice.tsx";
import { Skeleton } from "./skeleton.tsx";
import { useState } from "../state/use-state.ts";

const spans = [7, 30, 90].map((days) => ({ value: String(days), words: `${days} days` }));

export function ActivityPanel({ id }: { id: string }) {
  const [days, setDays] = useState("30");
  return (
    <section class="panel" aria-labelledby="activity-title">
      <div class="panel-head">
        <div>
          <h2 id="activity-title">Activity</h2>
          <p class="hint">Counts only: what was asked and answered is never read.</p>
        </div>
        <Chips name="Time" options={spans} selected={days} onSelect={setDays} />
      </div>
      <Span key={days} id={id} days={Number(days)} />
    </section>
  );
}

function Span({ id, days }: { id: string; days: number }) {
  const load = useCallback(() => api.activity(id, days), [id, days]);
  const { loaded, reload } = useLoad(load);
  if (loaded.state === "loading") return <Skeleton what="the activity" kind="chart" count={1} />;
  if (loaded.state === "failed") {
    return <LoadFailure what="The activity" failure={loaded.failure} retry={reload} />;
  }
  return <ActivityChart days={loaded.value.days} />;
}
