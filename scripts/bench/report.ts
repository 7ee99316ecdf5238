import type { DueCost } from "./due.ts";
import { type ByRow, type Counts, medians } from "./measure.ts";
import { cpu, fixed, highest, type Results, targets, throughput } from "./results.ts";
import type { RowName } from "./options.ts";
import { known, median, ratio } from "./stats.ts";
import type { Load } from "./wrk.ts";

/** Columns of text: the first to the left, numbers to the right. */
export function table(lines: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const line of lines)
    for (const [index, cell] of line.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return lines
    .map((line) =>
      line
        .map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)))
        .join("   ")
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join("\n");
}

/** The pairs of rows worth a ratio, as far as both were measured. */
function pairsOf(rows: readonly RowName[]): (readonly [RowName, RowName])[] {
  const all = [
    ["b+", "b"],
    ["c", "b"],
    ["c", "b+"],
    ["f", "b+"],
    ["c", "f"],
    ["c0", "b"],
  ] as const;
  return all.filter(([above, below]) => rows.includes(above) && rows.includes(below));
}

function jsonTables(json: Map<number, ByRow<Load>>, rows: readonly RowName[]): string[] {
  const pairs = pairsOf(rows);
  const lines = [["row", "connections", "requests/s", "p50 ms", "p99 ms", "worker CPU µs/request"]];
  const ratios = [
    [
      "connections",
      ...pairs.map((pair) => `requests/s ${pair.join("/")}`),
      ...pairs.map((pair) => `CPU ${pair.join("/")}`),
    ],
  ];
  for (const [connections, byRow] of json) {
    for (const [name, loads] of byRow)
      lines.push([
        name,
        String(connections),
        fixed(median(loads.map((one) => one.requestsPerSecond)), 0),
        fixed(median(loads.map((one) => one.p50)), 2),
        fixed(median(loads.map((one) => one.p99)), 2),
        fixed(known(loads.map((one) => one.cpuPerRequest)), 0),
      ]);
    ratios.push([
      String(connections),
      ...pairs.map(([above, below]) =>
        fixed(ratio(throughput(byRow.get(above)), throughput(byRow.get(below))), 2),
      ),
      ...pairs.map(([above, below]) => fixed(ratio(cpu(byRow.get(above)), cpu(byRow.get(below))), 2)),
    ]);
  }
  const sections = [`Small JSON call (median of the rounds)\n${table(lines)}`];
  if (pairs.length > 0) sections.push(`Ratios (median of the rounds' ratios)\n${table(ratios)}`);
  return sections;
}

function timesTable(results: Results): string | undefined {
  const columns: (readonly [string, ByRow<number>])[] = [];
  if (results.firstEvent !== undefined) columns.push(["first SSE event ms", results.firstEvent]);
  if (results.transfer !== undefined)
    columns.push(
      ["10 MB response ms", results.transfer.download],
      ["5 MB request ms", results.transfer.upload],
    );
  if (columns.length === 0) return undefined;
  const values = columns.map(([, byRow]) => medians(byRow));
  const lines = results.rows.map((name) => [name, ...values.map((of) => fixed(of.get(name), 2))]);
  const ratios = pairsOf(results.rows).map(([above, below]) => [
    `${above}/${below}`,
    ...columns.map(([, byRow]) => fixed(ratio(byRow.get(above), byRow.get(below)), 2)),
  ]);
  return `One connection, medians\n${table([["row", ...columns.map(([title]) => title)], ...lines, ...ratios])}`;
}

function memoryTable({ rows, peaks, rise }: Results): string | undefined {
  if (peaks === undefined && rise === undefined) return undefined;
  const lines = rows
    .filter((name) => name !== "a")
    .map((name) => [
      name,
      fixed(peaks?.get(name), 1),
      fixed(highest(rise?.download.get(name)), 1),
      fixed(highest(rise?.upload.get(name)), 1),
    ]);
  const head = ["row", "peak under small calls", "rise: 100 MB response", "rise: 5 MB request"];
  return `Memory of the worker's process, MB\n${table([head, ...lines])}`;
}

function countsTable({ first, hot }: { first: Counts; hot: Counts }): string {
  const lines = [
    ["", "D1 statements", "of these writes", "rows read", "rows written", "KV reads", "KV writes"],
  ];
  for (const [title, one, digits] of [
    ["first calls after connecting", first, 0],
    ["per call, hot connection", hot, 3],
  ] as const)
    lines.push([
      title,
      ...[one.d1Queries, one.d1Writes, one.rowsRead, one.rowsWritten, one.kvReads, one.kvWrites].map(
        (value) => fixed(value, digits),
      ),
    ]);
  return `Storage operations of Bindify, counted\n${table(lines)}`;
}

function dueTable(costs: readonly DueCost[]): string {
  const lines = [
    [
      "managed connections",
      "renewed",
      "ms",
      "ms each",
      "D1 statements each",
      "rows read each",
      "rows written each",
    ],
    ...costs.map(({ total, renewed, ms, statements, rowsRead, rowsWritten }) => [
      String(total),
      String(renewed),
      fixed(ms, 0),
      ...[ms, statements, rowsRead, rowsWritten].map((value) => fixed(value / renewed, 2)),
    ]),
  ];
  return `Renewing what is due\n${table(lines)}`;
}

/** The whole report as text. */
export function report(results: Results): string {
  const verdict = targets(results)
    .filter(({ reached }) => reached !== undefined)
    .map(({ name, limit, measured, reached }) => [name, limit, measured, reached ? "reached" : "MISSED"]);
  const sections = [
    ...(results.json === undefined ? [] : jsonTables(results.json, results.rows)),
    timesTable(results),
    memoryTable(results),
    results.counts === undefined ? undefined : countsTable(results.counts),
    results.due === undefined ? undefined : dueTable(results.due),
    verdict.length === 0 ? undefined : `Targets\n${table([["", "target", "measured", ""], ...verdict])}`,
  ];
  return sections.filter((section) => section !== undefined).join("\n\n");
}
