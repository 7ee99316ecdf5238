import type { Verified } from "../account-schemas.ts";
import { errorAt, explain } from "../api.ts";
import { count, plural } from "../format.ts";
import { useApp } from "../state/app-context.ts";
import { verifyAll } from "../state/audit.ts";
import { useAction } from "../state/use-action.ts";
import { CopyButton } from "./copy-button.tsx";
import { Field } from "./field.tsx";
import { Icon } from "./icons.tsx";
import { Notice } from "./notice.tsx";
import { useState } from "../state/use-state.ts";

export function VerifyPanel() {
  const [progress, setProgress] = useState(0);
  const [result, setResult] = useState<Verified | undefined>(undefined);
  const verify = (expect: string) => verifyAll(expect || undefined, setProgress);
  const { busy, failure, run } = useAction(verify, setResult);
  const submit = (event: Event) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const expect = new FormData(event.currentTarget).get("expect");
    setResult(undefined);
    setProgress(0);
    run(typeof expect === "string" ? expect.trim() : "");
  };
  const atField = errorAt(failure, "expect");
  return (
    <form class="verify" onSubmit={submit} autocomplete="off">
      <div class="verify-head">
        <p>
          <Icon name="shield" />
          <span>Each event seals the one before it: a change anywhere breaks the chain.</span>
        </p>
        <button type="submit" class="button" aria-disabled={busy ? "true" : "false"}>
          {busy ? (progress === 0 ? "Checking …" : `Checked ${count(progress)} …`) : "Check the chain"}
        </button>
      </div>
      <details class="advanced" open={atField === undefined ? undefined : true}>
        <summary>Compare with what you noted earlier</summary>
        <Field
          name="expect"
          label="Head"
          optional
          placeholder="42.q1w2e3…"
          maxLength={80}
          help="From an earlier check or export. Then even whoever runs this deployment cannot have changed what came before it."
          error={atField}
        />
      </details>
      <div role="status">
        {result ? <Result result={result} /> : null}
        {failure && atField === undefined ? <p class="field-error">{explain(failure)}</p> : null}
      </div>
    </form>
  );
}

function Result({ result }: { result: Verified }) {
  const { announce } = useApp();
  const { ok, checked, first_broken: broken, expect, head, checkpoint } = result;
  if (!ok) {
    return (
      <Notice tone="bad" title="The chain is broken">
        <p>
          {broken
            ? `Event #${broken} is not what was recorded. What comes before it is intact.`
            : "An event is not what was recorded."}
          {" Export the log now and ask whoever runs this deployment."}
        </p>
      </Notice>
    );
  }
  if (head.seq === 0) {
    return (
      <Notice tone="info" title="Nothing to check yet">
        <p>The log has no event so far.</p>
      </Notice>
    );
  }
  const place = `${head.seq}.${head.hash}`;
  return (
    <Notice tone="info" title="The chain is intact">
      <p>
        {`${plural(checked, "event")} checked, up to #${head.seq}.`}
        {expect === "behind_checkpoint"
          ? " What you noted lies before the oldest event that is kept, so it could not be compared."
          : ""}
        {checkpoint.seq > 0 ? ` Those up to #${checkpoint.seq} are past their time and gone.` : ""}
      </p>
      <div class="command">
        <code translate="no">{place}</code>
        <CopyButton what="the head of the chain" text={place} announce={announce} />
      </div>
      <p class="hint">Note this head: a later check can be compared with it.</p>
    </Notice>
  );
}
