// Stands in for wrangler where faults are wanted: it writes down how it was called and does what a file tells it.
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const args = process.argv.slice(3);
const input = readFileSync(0, "utf8");
appendFileSync(join(folder, "calls.jsonl"), `${JSON.stringify({ args, env: process.env, input })}\n`);
const { mode, results } = JSON.parse(readFileSync(join(folder, "behaviour.json"), "utf8"));
if (mode === "hang") setTimeout(() => {}, 60_000);
else if (mode === "garbage") console.log("<html>Bad gateway</html>");
else if (mode === "fail") {
  console.error(`✘ [ERROR] A request to the Cloudflare API failed. It said ${input}`);
  process.exitCode = 1;
} else if (args[0] === "d1") {
  console.log(JSON.stringify(results.map((rows) => ({ results: rows, success: true, meta: {} }))));
} else if (args[1] === "list")
  console.log(JSON.stringify(results.map((name) => ({ name, type: "secret_text" }))));
else console.log("🌀 Creating the secret\n✨ Success!");
