import { explain } from "../api.ts";
import { useApp } from "../state/app-context.ts";
import { exportAll } from "../state/audit.ts";
import { useAction } from "../state/use-action.ts";
import { Icon } from "./icons.tsx";

export function ExportButton() {
  const { announce } = useApp();
  const { busy, failure, run } = useAction(exportAll, (log) => {
    download(log, `activity-log-${new Date().toISOString().slice(0, 10)}.ndjson`);
    announce("The activity log is downloaded.");
  });
  return (
    <div class="export">
      <button
        type="button"
        class="button"
        aria-disabled={busy ? "true" : "false"}
        onClick={() => run(undefined)}
      >
        <Icon name="download" />
        {busy ? "Preparing …" : "Export as NDJSON"}
      </button>
      <p class="field-error" role="alert">
        {failure ? explain(failure) : ""}
      </p>
    </div>
  );
}

function download(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // After the browser took it: an address that is revoked at once may download nothing.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
