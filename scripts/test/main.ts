import { styleText } from "node:util";
import { startVitest } from "vitest/node";
import { buildDashboard } from "../build-dashboard/build.ts";
import { readArguments, runCommand } from "../lib/command.ts";
import { count, summaryLine } from "./count.ts";
import { findTools } from "./tools.ts";

const usage = `
npm test [-- FILTER…]

Runs the tests (npm run test:long: the long form of those that repeat one thing over months of use): inside workerd, and in Node with real servers, clients and a browser. FILTER is a part of a test
file's path. The last line counts them; the exit code is 0 only if none failed. With CI=true a skipped test is a
failure too.

  CHROMIUM_PATH   the browser to use, where it is not in PATH
  WRK_PATH        the wrk to use, where it is not in PATH
`;

await runCommand(usage, async () => {
  const { positionals, values } = readArguments({
    options: { long: { type: "boolean" } },
    allowPositionals: true,
  });
  if (values.long === true) {
    process.env["BINDIFY_LONG"] = "1";
    positionals.push("test/e2e/refresh");
  }
  const missing = findTools();
  await buildDashboard();

  const vitest = await startVitest(positionals, { watch: false, passWithNoTests: positionals.length > 0 });
  const counts = count(vitest.state.getTestModules(), vitest.state.getUnhandledErrors().length);
  await vitest.close();

  const strict = process.env["CI"] === "true";
  if (counts.skipped > 0) for (const sentence of missing) console.log(styleText("yellow", sentence));
  if (strict && counts.skipped > 0) console.log("A test was skipped, which counts as a failure in CI.");
  console.log(summaryLine(counts));
  // Workers of a test that hangs must not keep the command alive.
  process.exit(counts.failed > 0 || (strict && counts.skipped > 0) ? 1 : 0);
});
