import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { root } from "../../../scripts/lib/files.ts";
import type { Instance } from "./instance.ts";
import { runCli, scripts } from "./run-cli.ts";

const checks = z.array(z.looseObject({ id: z.string(), status: z.string() }));

export interface ScenarioResult {
  readonly scenario: string;
  readonly passed: number;
  /** Ids of checks that failed or were warned of. */
  readonly failed: readonly string[];
  readonly warned: readonly string[];
}

function named(text: string): readonly string[] {
  return [...text.matchAll(/^\s*- (auth\/\S+)/gm)].map(([, name]) => name ?? "");
}

/** The authorization scenarios of a revision: those that it requires, and those of extensions to it. */
export async function authScenarios(
  revision: string,
): Promise<{ readonly required: readonly string[]; readonly extensions: readonly string[] }> {
  const { stdout } = await runCli(scripts.conformance, ["list", "--client", "--requirements", revision]);
  const [required = "", others = ""] = stdout.split("never scored");
  return { required: named(required), extensions: named(others) };
}

/** Runs one scenario with the driver as the client. */
export async function runScenario(
  instance: Instance,
  scenario: string,
  revision: string,
): Promise<ScenarioResult> {
  const folder = await mkdtemp(join(tmpdir(), "bindify-conformance-"));
  try {
    const command = `${process.execPath} ${join(root, "test/support/node/oauth-driver.ts")}`;
    const args = ["--command", command, "--scenario", scenario, "--spec-version", revision];
    await runCli(scripts.conformance, ["client", ...args, "--output-dir", folder], {
      env: { BINDIFY_URL: instance.url, BINDIFY_TOKEN: await instance.token() },
      limit: 45_000,
    });
    const files = await readdir(folder, { recursive: true });
    const results = files.find((name) => name.endsWith("checks.json"));
    if (results === undefined) throw new Error(`${scenario} left no results`);
    const found = checks.parse(JSON.parse(await readFile(join(folder, results), "utf8")));
    const having = (status: string) =>
      found.filter((check) => check.status === status).map((check) => check.id);
    return {
      scenario,
      passed: having("SUCCESS").length,
      failed: having("FAILURE"),
      warned: having("WARNING"),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
