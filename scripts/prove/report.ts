import { forms } from "../../test/support/canary.ts";
import { ruleNames, rules, sinks } from "./evidence.ts";
import { cellOf, type Judgement, type Leak } from "./judge.ts";
import { operations } from "./operations/index.ts";
import type { ModelRun, PlantResult } from "./run.ts";
import { kinds } from "./secrets.ts";

/** What a stranger reads. */
export function report(run: ModelRun, plants: readonly PlantResult[], leaks: readonly Leak[]): string {
  const { judgement } = run;
  return [
    section(
      "What was done",
      operations.map(({ name }) => row(name, run.done.get(name) ?? 0)),
    ),
    `${total(run.done.values())} operations, ${total(run.answers.values())} requests (by status: ${statuses(run)}).`,
    section(
      "How often storage was made to fail, quoting what it was given",
      [...run.storageFailures].map(([operation, count]) => row(operation, count)),
    ),
    section("Which secrets were looked for", matrix(judgement)),
    "Columns: " + sinks.map((sink, at) => `${letter(at)} ${sink}`).join(" · "),
    "Cells: · nothing found, n found n times in allowed places, n! leaked n times. n in the first column: secrets.",
    section(
      "How much was looked through",
      sinks.map((sink) => row(sink, amount(judgement, sink))),
    ),
    `Each secret was looked for in ${forms.length} ways of writing: ${forms.join("; ")}.`,
    section("Where a secret may be, and was", allowed(judgement)),
    section(
      "Leaks put in on purpose",
      plants.map(
        ({ plant, found }) =>
          `${found ? "found    " : "NOT FOUND"}  ${plant.name} (src/${plant.file} → ${plant.sink})`,
      ),
    ),
    section("Leaks", leaks.length === 0 ? ["none"] : leaks.map(describe)),
  ].join("\n");
}

/** What the proof lacks; empty: it holds. */
export function shortcomings(
  run: ModelRun,
  plants: readonly PlantResult[],
  leaks: readonly Leak[],
): readonly string[] {
  const { judgement, done, storageFailures } = run;
  return [
    ...leaks.map((leak) => `Leaked: ${describe(leak)}.`),
    ...plants
      .filter(({ found }) => !found)
      .map(({ plant }) => `A planted leak was not found: ${plant.name}.`),
    ...operations.filter(({ name }) => !done.has(name)).map(({ name }) => `It never happened: ${name}.`),
    ...["d1", "kv"]
      .filter((store) => ![...storageFailures.keys()].some((operation) => operation.startsWith(store)))
      .map((store) => `Storage never failed: ${store}.`),
    ...ruleNames
      .filter((rule) => !judgement.allowed.has(rule))
      .map((rule) => `No secret was seen where it has to be: ${rule}.`),
    ...kinds
      .filter((kind) => !judgement.secrets.has(kind))
      .map((kind) => `There was no secret to look for: ${kind}.`),
    ...sinks
      .filter((sink) => needed(sink) && !judgement.looked.has(sink))
      .map((sink) => `There was nothing to look through: ${sink}.`),
  ];
}

/** Journals alone have metadata, and they are rare; this program's output is judged after all else. */
function needed(sink: (typeof sinks)[number]): boolean {
  return sink !== "KV metadata" && sink !== "output of this program";
}

function describe({ kind, sink, place, forms: ways }: Leak): string {
  return `${kind} in ${sink}: ${place} (${ways.join(", ")})`;
}

function section(title: string, lines: readonly string[]): string {
  return `\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

function row(name: string, value: string | number): string {
  return `${name.padEnd(48, ".")} ${value}`;
}

function total(counts: Iterable<number>): number {
  return [...counts].reduce((sum, count) => sum + count, 0);
}

function statuses({ answers }: ModelRun): string {
  return [...answers]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");
}

const letter = (at: number): string => String.fromCharCode(65 + at);

function matrixLine(name: string, columns: readonly string[]): string {
  return name.padEnd(26) + columns.map((column) => column.padStart(6)).join("");
}

function matrix({ cells, secrets }: Judgement): readonly string[] {
  return [
    matrixLine("", ["n", ...sinks.map((_, at) => letter(at))]),
    ...kinds.map((kind) =>
      matrixLine(kind, [
        String(secrets.get(kind) ?? 0),
        ...sinks.map((sink) => {
          const cell = cells.get(cellOf(kind, sink));
          if (cell === undefined) return "·";
          return cell.leaks > 0 ? `${cell.leaks}!` : String(cell.allowed);
        }),
      ]),
    ),
  ];
}

function amount({ looked }: Judgement, sink: (typeof sinks)[number]): string {
  const { texts, size } = looked.get(sink) ?? { texts: 0, size: 0 };
  return `${texts} different texts, ${Math.ceil(size / 1024)} KiB`;
}

function allowed(judgement: Judgement): readonly string[] {
  return ruleNames.flatMap((name) => [
    row(name, `${judgement.allowed.get(name) ?? 0} times`),
    `    ${rules[name].kinds.join("; ")}: ${rules[name].reason}`,
  ]);
}
