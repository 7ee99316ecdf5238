import { runCommand } from "../lib/command.ts";
import { buildDashboard } from "./build.ts";

const usage = `
node scripts/launch.mjs build-dashboard

Builds the page (src/dashboard) into dist/dashboard. \`npm start\`, \`npm test\` and \`wrangler deploy\` do it themselves.
`;

await runCommand(usage, async () => {
  await buildDashboard();
  return 0;
});
