// Stands in for wrangler where faults are wanted: it writes down how it was called and does what a file tells it.
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const args = process.argv.slice(3);
const input = readFileSync(0, "utf8");
appendFileSync(join(folder, "calls.jsonl"), `${JSON.stringify({ args, env: process.env, input })}\n`);
const { mode, results } = JSON.parse(readFileSync(join(folder, "behaviour.json"), "utf8"));
if (mode === "hang") setTimeout(() => {}, 60_000);
else if (mode === "pass on" || mode === "keep on") {
  // As the real one does: the work is another program's, which has the same streams and is handed SIGTERM.
  const deaf = mode === "keep on" ? 'process.on("SIGTERM", () => {});' : "";
  const work = `${deaf} console.log(process.pid); setTimeout(() => {}, 60_000);`;
  const child = spawn(process.execPath, ["--eval", work], { stdio: "inherit" });
  child.on("exit", (code) => process.exit(code ?? 143));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
} else if (mode === "garbage") console.log("<html>Bad gateway</html>");
else if (mode === "fail") {
  console.error(`✘ [ERROR] A request to the Cloudflare API failed. It said ${input}`);
  process.exitCode = 1;
} else if (args[0] === "d1") {
  console.log(JSON.stringify(results.map((rows) => ({ results: rows, success: true, meta: {} }))));
} else if (args[1] === "list")
  console.log(JSON.stringify(results.map((name) => ({ name, type: "secret_text" }))));
else console.log("🌀 Creating the secret\n✨ Success!");
