import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { experimental_readRawConfig } from "wrangler";
import { z } from "zod";
import { Problem } from "../lib/command.ts";
import { root } from "../lib/files.ts";
import { type Command, wrangler } from "../lib/wrangler.ts";
import type { Target } from "./target.ts";

const secretName = "MANAGED_ENCRYPTION_KEYS";

const resultsSchema = z.array(
  z.object({ results: z.array(z.record(z.string(), z.unknown())), success: z.literal(true) }),
);

const namesSchema = z.array(z.object({ name: z.string() }));

export interface WranglerOptions {
  readonly environment: string;
  /** The configuration, from the repository's root, where it is not wrangler.toml. */
  readonly config?: string;
  /** Instead of the installed wrangler. */
  readonly command?: Command;
  /** Instead of what follows from the two above: what tells wrangler which deployment it is. */
  readonly selection?: readonly string[];
  /** How long one call may take, and the pause before a question is asked again, ms. */
  readonly limit?: number;
  readonly pause?: number;
}

/**
 * A deployment on Cloudflare, through wrangler and its sign-in. A secret goes through standard input alone: arguments
 * and environments can be read by other programs of the machine. The script that WRANGLER_PATH names would get it.
 */
export function wranglerTarget(options: WranglerOptions): Target {
  const { environment, config, command, limit = 120_000, pause = 5000 } = options;
  const selection = options.selection ?? selectionOf(environment, config);
  const call = (args: readonly string[], input: string) =>
    run(command, [...args, ...selection], input, limit);
  const ask = async (sql: string) => {
    const args = ["d1", "execute", "DB", "--remote", "--json", "--yes", "--command", sql];
    return readResults(await call(args, ""));
  };
  return {
    name: config === undefined ? environment : `${environment} (${config})`,
    selection,
    interval: 10_000,
    async query(sql) {
      // A rotation asks for a quarter of an hour and more: a network's hiccup must not end it.
      for (let tries = 1; ; tries += 1) {
        try {
          return await ask(sql);
        } catch (error) {
          if (tries === 3) throw error;
          await sleep(pause);
        }
      }
    },
    async secretNames() {
      const stdout = await call(["secret", "list", "--format", "json"], "");
      const names = namesSchema.safeParse(parseFrom(stdout));
      if (!names.success) throw new Problem(`wrangler listed no secrets: ${excerpt(stdout)}${again}`);
      return names.data.map(({ name }) => name);
    },
    async putSecret(text) {
      await call(["secret", "put", secretName], text);
    },
  };
}

/** `[env.NAME]` of the configuration; production may be its top level, as in the example. */
function selectionOf(environment: string, config: string | undefined): readonly string[] {
  const name = config ?? "wrangler.toml";
  const path = resolve(root, name);
  if (!existsSync(path)) {
    throw new Problem(`There is no ${name}. The README, section Deploy, says how to make one.`);
  }
  const which = config === undefined ? [] : ["--config", path];
  const { rawConfig } = experimental_readRawConfig({ config: path });
  if (rawConfig.env?.[environment] !== undefined) return [...which, "--env", environment];
  if (environment === "production") return [...which, "--env="];
  throw new Problem(`${name} has no section [env.${environment}]; --env production is its top level.`);
}

function readResults(stdout: string) {
  const results = resultsSchema.safeParse(parseFrom(stdout));
  if (!results.success) {
    throw new Problem(`wrangler answered something else than query results: ${excerpt(stdout)}${again}`);
  }
  return results.data.map(({ results: rows }) => rows);
}

/** The list that begins somewhere in the output: remarks may come before it. */
function parseFrom(stdout: string): unknown {
  try {
    return JSON.parse(stdout.slice(Math.max(stdout.indexOf("["), 0)));
  } catch {
    return undefined;
  }
}

const again = "\nNothing is lost: run the same command again, and it goes on from here.";

async function run(command: Command | undefined, args: readonly string[], input: string, limit: number) {
  const { code, how, stdout, stderr } = await wrangler(args, { input, limit, ...(command && { command }) });
  if (code === 0) return stdout;
  // What went wrong comes last: after some refusals wrangler says at length who is signed in, on standard output.
  throw new Problem(
    `wrangler ${args.slice(0, 2).join(" ")} ${how}: ${excerpt(`${stdout}\n${stderr}`)}${again}`,
  );
}

/** The end of what a program said, without anything that could be a key. */
export function excerpt(text: string): string {
  const safe = stripVTControlCharacters(text)
    .replace(/[A-Za-z0-9+/_=-]{40,}/g, "[redacted]")
    .trim();
  return safe === "" ? "it said nothing." : safe.slice(-600);
}
