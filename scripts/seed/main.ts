import { open } from "node:fs/promises";
import { demoKey } from "../demo-service/demo-service.ts";
import { createApi } from "../demo/api.ts";
import { Problem, readArguments, runCommand } from "../lib/command.ts";
import { codeOf } from "../lib/files.ts";
import { requireInstance } from "../lib/instance.ts";
import { signLocalToken } from "../lib/local-token.ts";

const usage = `
npm run seed -- --managed COUNT [--workspaces COUNT] [--credentials PATH]

Fills the local Bindify (\`npm start\` must be running) with managed connections to Demo notes, made through the JSON
API as people make them, each with a credential of its own. For rehearsals: a key rotation over many connections.

  --managed COUNT       how many connections, at most 20000
  --workspaces COUNT    over how many people, seed-1, seed-2 …; default one for every 20 connections
  --credentials PATH    write the secret URLs to a new file that you alone can read, one a line

Exit codes: 0 done, 1 a problem, 2 wrong usage.
`;

/** Calls in flight: more only wait for each other. */
const concurrency = 8;
/** New connections of one person; the JSON API takes 300 calls a minute of each. */
const mostOfOne = 250;

await runCommand(usage, async () => {
  const { values } = readArguments({
    options: {
      managed: { type: "string" },
      workspaces: { type: "string" },
      credentials: { type: "string" },
    },
  });
  const total = whole("--managed", values.managed, 20_000);
  const people =
    values.workspaces === undefined ? Math.ceil(total / 20) : whole("--workspaces", values.workspaces, total);
  if (total / people > mostOfOne) {
    throw new Problem(
      `--workspaces ${people} is too few: one person makes at most ${mostOfOne} connections.`,
      2,
    );
  }
  const instance = await requireInstance();
  const file = values.credentials === undefined ? undefined : await create(values.credentials);
  const apis: ReturnType<typeof createApi>[] = [];
  for (let at = 0; at < people; at += 1) {
    apis.push(createApi(instance.url, await signLocalToken(instance, `seed-${at + 1}`)));
  }
  const began = performance.now();
  const urls: string[] = [];
  let next = 0;
  const work = async () => {
    for (let at = next++; at < total; at = next++) {
      const api = apis[at % people];
      if (api === undefined) return;
      const { credential } = await api.connect({
        service: "demo",
        storage: "managed",
        fields: { api_key: demoKey },
        label: `Seed ${at + 1}`,
      });
      urls.push(credential.secret_url);
      tell(urls.length, total);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
  } finally {
    await file?.writeFile(urls.map((url) => `${url}\n`).join(""));
    await file?.close();
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${total} managed connections of ${people} people, in ${seconds} s.`);
  return 0;
});

function whole(name: string, text: string | undefined, most: number): number {
  const value = Number(text);
  if (text === undefined || !/^\d{1,6}$/.test(text) || value < 1 || value > most) {
    throw new Problem(`${name} takes a whole number from 1 to ${most}.\nTry --help.`, 2);
  }
  return value;
}

async function create(path: string) {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    throw new Problem(`${path} cannot be made (${codeOf(error)}).`);
  }
}

/** A line that is drawn again on a terminal, every tenth part elsewhere. */
function tell(done: number, total: number): void {
  if (process.stdout.isTTY)
    process.stdout.write(`\r\u001B[2K  ${done} of ${total}${done === total ? "\n" : ""}`);
  else if (done % Math.ceil(total / 10) === 0) console.log(`  ${done} of ${total}`);
}
