import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../lib/command.ts";
import { closeConnections } from "./client.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { profile } from "./profile.ts";
import { report } from "./report.ts";
import { type Bench, freePort, type Row, startBindify, startRow, startUpstream } from "./rows.ts";
import { run, toJson } from "./run.ts";
import { reportSoak, soak } from "./soak.ts";
import { findWrk, howToGetWrk } from "./wrk.ts";

/** What runs, to be ended in the reverse order. */
const running: (() => Promise<unknown>)[] = [];

async function stop(): Promise<void> {
  closeConnections();
  for (let end = running.pop(); end !== undefined; end = running.pop()) await end();
}

// Miniflare ends its processes when this one exits, and the upstream ends when it loses its parent.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

/** One line that says what is going on, where somebody looks. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[2K${text}`);
}

async function measure(wrk: string, options: Options, bench: Bench): Promise<void> {
  const rows: Row[] = [];
  for (const name of options.rows) {
    progress(`starting row ${name}`);
    const row = await startRow(name, bench);
    running.push(row.stop);
    rows.push(row);
  }
  const results = await run({ wrk, options, bench, rows, progress });
  progress("");
  console.log(
    `${cpus()[0]?.model ?? "?"} × ${cpus().length}, Node ${process.versions.node}\n\n${report(results)}`,
  );
  if (options.json !== undefined) await writeFile(options.json, toJson(results));
}

await runCommand(usage, async () => {
  const options = readOptions(process.argv.slice(2));
  const wrk = findWrk();
  if (wrk === undefined) {
    console.error(howToGetWrk);
    return 2;
  }
  try {
    const folder = mkdtempSync(join(tmpdir(), "bindify-bench-"));
    // Synchronous, so that it also happens when a signal ends the run: the folder holds a private key.
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    const upstream = await startUpstream();
    running.push(upstream.stop);
    const bench: Bench = { upstream, folder };
    if (options.soak !== undefined) {
      const port = await freePort();
      const row = await startBindify("c", bench, port);
      running.push(row.stop);
      // A line for each look, also where nobody watches: half an hour is long.
      const soaked = await soak(wrk, row, port, options.soak, (text) => console.error(text));
      console.log(reportSoak(soaked));
      return soaked.isFlat ? 0 : 1;
    }
    if (options.profile) console.log(await profile(wrk, bench, options.seconds * 2));
    else await measure(wrk, options, bench);
    return 0;
  } finally {
    await stop();
  }
});
