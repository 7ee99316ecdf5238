/** Checking and taking along the whole audit log, which comes in parts. */
import type { Verified } from "../account-schemas.ts";
import { exportFooterSchema } from "../account-schemas.ts";
import { api, type Answer } from "../api.ts";

/** `checked` counts the events of every part. */
export async function verifyAll(
  expect: string | undefined,
  onProgress: (checked: number) => void,
): Promise<Answer<Verified>> {
  let checked = 0;
  let cursor: string | undefined;
  for (;;) {
    const answer = await api.verify(cursor, expect);
    if (!answer.ok) return answer;
    checked += answer.value.checked;
    onProgress(checked);
    cursor = answer.value.next_cursor ?? undefined;
    if (!answer.value.ok || cursor === undefined) return { ok: true, value: { ...answer.value, checked } };
  }
}

/** The NDJSON of every part, as it came: what is in it is what was hashed. */
export async function exportAll(): Promise<Answer<Blob>> {
  const parts: string[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const answer = await api.exportEvents(after);
    if (!answer.ok) return answer;
    parts.push(answer.value.endsWith("\n") ? answer.value : `${answer.value}\n`);
    const next = nextAfter(answer.value);
    if (next === undefined) return { ok: false, failure: { kind: "unreadable", status: 200 } };
    after = next;
  }
  return { ok: true, value: new Blob(parts, { type: "application/x-ndjson" }) };
}

/** A part without its footer was cut off. */
function nextAfter(part: string): number | null | undefined {
  try {
    return exportFooterSchema.parse(JSON.parse(part.trimEnd().split("\n").at(-1) ?? "")).next_after;
  } catch {
    return undefined;
  }
}
