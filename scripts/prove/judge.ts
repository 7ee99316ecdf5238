import { createScanner } from "../../test/support/canary.ts";
import { ruleFor, type Collected, type RuleName, type Sink } from "./evidence.ts";
import type { Kind, Planted, Secrets } from "./secrets.ts";

/** A secret where it must not be. */
export interface Leak {
  readonly kind: Kind;
  readonly sink: Sink;
  readonly place: string;
  /** The ways in which it was written there. */
  readonly forms: readonly string[];
}

interface Cell {
  allowed: number;
  leaks: number;
}

export interface Judgement {
  /** Each kind, sink and place once. */
  readonly leaks: readonly Leak[];
  readonly allowed: ReadonlyMap<RuleName, number>;
  readonly cells: ReadonlyMap<string, Cell>;
  readonly secrets: ReadonlyMap<Kind, number>;
  /** Texts and characters by sink. */
  readonly looked: ReadonlyMap<Sink, { readonly texts: number; readonly size: number }>;
}

export const cellOf = (kind: Kind, sink: Sink): string => `${kind} | ${sink}`;

/** Looks for every secret in everything that was collected, and asks of each find whether it may be there. */
export function judge(
  { all: secrets }: Pick<Secrets, "all">,
  { all: evidence }: Pick<Collected, "all">,
): Judgement {
  const scan = createScanner<Planted>(secrets);
  const leaks = new Map<string, Leak>();
  const allowed = new Map<RuleName, number>();
  const cells = new Map<string, Cell>();
  const looked = new Map<Sink, { texts: number; size: number }>();
  for (const { sink, place, text, allowed: allowances } of evidence) {
    const { texts, size } = looked.get(sink) ?? { texts: 0, size: 0 };
    looked.set(sink, { texts: texts + 1, size: size + text.length });
    const found = Map.groupBy(scan(text), ({ canary }) => canary);
    for (const [{ kind, owner }, hits] of found) {
      const cell = cells.get(cellOf(kind, sink)) ?? { allowed: 0, leaks: 0 };
      cells.set(cellOf(kind, sink), cell);
      const rule = ruleFor(kind, owner, allowances);
      if (rule !== undefined) {
        allowed.set(rule, (allowed.get(rule) ?? 0) + 1);
        cell.allowed += 1;
        continue;
      }
      cell.leaks += 1;
      const name = `${kind}\0${sink}\0${place}`;
      const forms = new Set([...(leaks.get(name)?.forms ?? []), ...hits.map(({ form }) => form)]);
      leaks.set(name, { kind, sink, place, forms: [...forms] });
    }
  }
  const counts = new Map<Kind, number>();
  for (const { kind } of secrets) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return { leaks: [...leaks.values()], allowed, cells, secrets: counts, looked };
}
