import { z } from "zod";
import { Problem } from "../lib/command.ts";
import type { Commands } from "./commands.ts";

const databases = z.array(z.looseObject({ uuid: z.string(), name: z.string() }));
const namespaces = z.array(z.looseObject({ id: z.string(), title: z.string() }));
const secrets = z.array(z.looseObject({ name: z.string() }));

/** The JSON that a listing printed, whatever wrangler says around it. */
function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  const start = text.indexOf("[");
  const end = text.lastIndexOf("]");
  try {
    return schema.parse(JSON.parse(text.slice(start, end + 1)));
  } catch {
    throw new Problem(`wrangler's list of ${what} could not be read:\n${text}`);
  }
}

async function listed<T>(commands: Commands, args: readonly string[], schema: z.ZodType<T>, what: string) {
  const ended = await commands.look(args);
  if (ended === undefined) return undefined;
  if (ended.code !== 0) throw new Problem(`${ended.stdout}${ended.stderr}\nwrangler ${ended.how}.`);
  return read(schema, ended.stdout, what);
}

/** The id of the database of this name, created where there is none; undefined in a dry run. */
export async function ensureDatabase(
  commands: Commands,
  name: string,
  place: readonly string[],
): Promise<string | undefined> {
  const find = async (): Promise<string | undefined> =>
    (await listed(commands, ["d1", "list", "--json"], databases, "databases"))?.find(
      (one) => one.name === name,
    )?.uuid;
  const existing = await find();
  if (existing !== undefined) {
    await commands.agree(
      `The account has a database called ${name} already, of an earlier run or of something else.`,
      `For another one change database_name in the configuration; to use it, add database_id = "${existing}" below it.`,
    );
    return existing;
  }
  const isMade = await commands.change("The database:", ["d1", "create", name, ...place]);
  return isMade ? await find() : undefined;
}

/** The same for the KV namespace. */
export async function ensureNamespace(commands: Commands, title: string): Promise<string | undefined> {
  const find = async (): Promise<string | undefined> =>
    (await listed(commands, ["kv", "namespace", "list"], namespaces, "namespaces"))?.find(
      (one) => one.title === title,
    )?.id;
  const existing = await find();
  if (existing !== undefined) {
    await commands.agree(
      `The account has a KV namespace called ${title} already, of an earlier run or of something else.`,
      `To use it, add id = "${existing}" below binding = "BLOBS" in the configuration; for another one create it ` +
        "(`npx wrangler kv namespace create NAME`) and add its id there.",
    );
    return existing;
  }
  const isMade = await commands.change("The storage of sealed blobs:", ["kv", "namespace", "create", title]);
  return isMade ? await find() : undefined;
}

/** A first deployment goes on only where it replaces no worker, or the person says that it may. */
export async function askBeforeReplacing(commands: Commands, name: string, config: string): Promise<void> {
  const ended = await commands.look(["deployments", "list", "--json", "--config", config]);
  if (ended === undefined) return;
  const said = `${ended.stdout}${ended.stderr}`;
  if (said.includes("[code: 10007]")) return;
  if (ended.code !== 0) throw new Problem(`${said}\nwrangler ${ended.how}.`);
  await commands.agree(
    `The account has a worker called ${name} already. This would replace it.`,
    "Give this one another name in the configuration, or run this without --yes to replace it.",
  );
}

/** Names of the deployment's secrets; undefined in a dry run. */
export async function secretNames(
  commands: Commands,
  config: string,
): Promise<readonly string[] | undefined> {
  const args = ["secret", "list", "--config", config];
  return (await listed(commands, args, secrets, "secrets"))?.map(({ name }) => name);
}
