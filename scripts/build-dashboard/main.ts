import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { unstable_readConfig } from "wrangler";
import { Problem, runCommand } from "../lib/command.ts";
import { root } from "../lib/files.ts";
import { buildDashboard } from "./build.ts";
import { signInHosts } from "./policy.ts";

const usage = `
node scripts/launch.mjs build-dashboard

Builds the page (src/dashboard) into dist/dashboard. \`npm start\`, \`npm test\` and \`wrangler deploy\` do it themselves.
Its content security policy admits the identity provider that wrangler.toml names (of the environment CLOUDFLARE_ENV).

  PAGE_CONFIG=PATH   the configuration that is deployed, where it is another one than wrangler.toml
`;

await runCommand(usage, async () => {
  const given = process.env["PAGE_CONFIG"] || undefined;
  const config = resolve(root, given ?? "wrangler.toml");
  if (given !== undefined && !existsSync(config)) throw new Problem(`PAGE_CONFIG: ${config} does not exist.`);
  const env = process.env["CLOUDFLARE_ENV"];
  const variables = existsSync(config)
    ? unstable_readConfig({ config, ...(env === undefined ? {} : { env }) }, { hideWarnings: true }).vars
    : {};
  await buildDashboard({ signIn: signInHosts(variables) });
  return 0;
});
