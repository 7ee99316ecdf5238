import { anomaliesOf } from "../lib/anomaly.ts";
import { toHex } from "../lib/bytes.ts";
import type { Random } from "../lib/random.ts";
import type { Finding, SuspectPage } from "../store/anomalies.ts";
import type { Stores } from "../store/index.ts";

/** Connections that one query looks at. */
const page = 2000;

export interface FindAnomaliesDeps {
  readonly stores: Pick<Stores, "anomalies">;
  readonly random: Random;
  /** Pages that one run looks at, at most; the platform counts the queries of each. */
  readonly backgroundBudget: number;
}

/**
 * Tells owners of use that is new for a connection, each kind once a day, from counts alone. Begins at a random
 * connection and goes around, so that no run's limit hides the same ones each time. Answers how many it told.
 */
export async function findAnomalies({
  stores: { anomalies },
  random,
  backgroundBudget,
}: FindAnomaliesDeps): Promise<number> {
  const start = `con_${toHex(random(16))}`;
  let after = start;
  let around = false;
  let told = 0;
  for (let at = 0; at < backgroundBudget; at += 1) {
    const { suspects, next } = await anomalies.suspects(after, page);
    const findings = suspects.map(newsOf).filter((finding) => finding.anomalies.length > 0);
    if (findings.length > 0) told += await anomalies.tell(findings);
    if (around && (next === null || next >= start)) break;
    around ||= next === null;
    after = next ?? "";
  }
  return told;
}

function newsOf(suspect: SuspectPage["suspects"][number]): Finding {
  const told = new Set(suspect.told.split(","));
  return { suspect, anomalies: anomaliesOf(suspect).filter(({ kind }) => !told.has(kind)) };
}
