import { byteWords, count, dayWords, plural } from "../format.ts";
import type { Day } from "../schemas.ts";

const step = 10;
const gap = 2;

/** Two rows of bars over the same days: calls, and below them the renewals of the access. */
export function ActivityChart({ days }: { days: readonly Day[] }) {
  const total = (name: "requests" | "errors" | "refreshes" | "bytes" | "duration_ms") =>
    days.reduce((sum, day) => sum + day[name], 0);
  const requests = total("requests");
  const errors = total("errors");
  const refreshes = total("refreshes");
  const said = `${plural(requests, "request")}, ${plural(errors, "error")} and ${plural(refreshes, "refresh", "refreshes")} in ${plural(days.length, "day")}`;
  return (
    <figure class="activity">
      <dl class="totals">
        <Total words="Requests" value={count(requests)} mark="requests" />
        <Total words="Errors" value={count(errors)} mark="errors" />
        <Total words="Refreshes" value={count(refreshes)} mark="refreshes" />
        <Total words="Answered in" value={requests === 0 ? "–" : msWords(total("duration_ms") / requests)} />
        <Total words="Received" value={byteWords(total("bytes"))} />
      </dl>
      <div class="chart-area">
        {requests + refreshes === 0 ? <p class="chart-empty">No calls in this time.</p> : null}
        <Bars days={days} said={said} />
      </div>
      <div class="chart-axis" aria-hidden="true">
        <span>{dayWords(days[0]?.day ?? "")}</span>
        <span>{dayWords(days[Math.floor(days.length / 2)]?.day ?? "")}</span>
        <span>{dayWords(days.at(-1)?.day ?? "")}</span>
      </div>
      <DayTable days={days} />
    </figure>
  );
}

function Total({ words, value, mark }: { words: string; value: string; mark?: string }) {
  return (
    <div>
      <dt class={mark === undefined ? undefined : `total-mark total-${mark}`}>{words}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Bars({ days, said }: { days: readonly Day[]; said: string }) {
  const most = Math.max(1, ...days.map((day) => day.requests));
  const mostRefreshes = Math.max(1, ...days.map((day) => day.refreshes));
  // 100 units of height for requests, a gap of 12, and 28 for refreshes.
  return (
    <svg
      class="chart"
      role="img"
      aria-label={said}
      viewBox={`0 0 ${days.length * step} 140`}
      preserveAspectRatio="none"
    >
      <path
        class="chart-line"
        d={`M0 100.5H${days.length * step}M0 139.5H${days.length * step}M0 50.5H${days.length * step}`}
      />
      {days.map((day, index) => {
        const x = index * step + gap / 2;
        const height = (day.requests / most) * 100;
        const bad = (Math.min(day.errors, day.requests) / most) * 100;
        const renewed = (day.refreshes / mostRefreshes) * 27;
        return (
          <g key={day.day}>
            <title>{`${dayWords(day.day)}: ${plural(day.requests, "request")}, ${plural(day.errors, "error")}, ${plural(day.refreshes, "refresh", "refreshes")}`}</title>
            <rect class="chart-hover" x={index * step} y="0" width={step} height="140" />
            <rect class="chart-requests" x={x} y={100 - height} width={step - gap} height={height - bad} />
            <rect class="chart-errors" x={x} y={100 - bad} width={step - gap} height={bad} />
            <rect class="chart-refreshes" x={x} y={139 - renewed} width={step - gap} height={renewed} />
          </g>
        );
      })}
    </svg>
  );
}

/** The same numbers for whoever does not see the bars, or wants to copy them. */
function DayTable({ days }: { days: readonly Day[] }) {
  return (
    <details class="advanced">
      <summary>Show as a table</summary>
      <div class="table-scroll" role="region" aria-label="Activity per day" tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Requests</th>
              <th scope="col">Errors</th>
              <th scope="col">Refreshes</th>
              <th scope="col">Received</th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((day) => (
              <tr key={day.day}>
                <th scope="row">{dayWords(day.day)}</th>
                <td>{count(day.requests)}</td>
                <td>{count(day.errors)}</td>
                <td>{count(day.refreshes)}</td>
                <td>{byteWords(day.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const msWords = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
