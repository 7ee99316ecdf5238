import { stop } from "esbuild";
import { readArguments, runCommand } from "../lib/command.ts";
import { cleanCommit } from "../lib/commit.ts";
import { hashBundle } from "./bundle.ts";

const usage = `
npm run -s bundle-hash [-- OPTIONS]

Builds exactly what a deployment of this folder uploads (the worker's script, the page, the compatibility settings)
and prints its SHA-256. Two clones of one commit print the same, wherever they are.

  --list     print the hash of each part before it
  --deploy   print the arguments that make /version repeat the commit and the hash:
             npx wrangler deploy $(npm run -s bundle-hash -- --deploy)

A deployment says in /version what it was told. That proves nothing about the code that runs: see "Deploy" in the
README for what it is good for.
`;

await runCommand(usage, async () => {
  const { values } = readArguments({
    options: { list: { type: "boolean" }, deploy: { type: "boolean" } },
  });
  const { hash, manifest } = await hashBundle();
  await stop();
  const commit = await cleanCommit();
  if (values.list === true) process.stdout.write(manifest);
  if (values.deploy === true) {
    console.log(
      [...(commit === undefined ? [] : [`--var COMMIT:${commit}`]), `--var BUNDLE_HASH:${hash}`].join(" "),
    );
  } else console.log(hash);
  return 0;
});
