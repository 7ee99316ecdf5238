import { z } from "zod";
import type { Lockfile } from "./lockfile.ts";

const entrySchema = z.looseObject({ current: z.string(), latest: z.string(), location: z.string() });

/** What `npm outdated --all --json` prints; where the registry did not answer it is something else. */
export const outdatedSchema = z.record(z.string(), z.union([entrySchema, z.array(entrySchema)]));

/** Paths in the lockfile of what is deployed: neither for development nor optional beside it. */
export function deployedPaths({ packages }: Lockfile): readonly string[] {
  return Object.entries(packages)
    .filter(([path, entry]) => path !== "" && entry.dev !== true && entry.devOptional !== true)
    .map(([path]) => path);
}

/**
 * Deployed packages of which the registry has a newer version, `name locked < newest`. Where there is none, no advisory
 * can hold for what is deployed that an update would mend.
 */
export function newerVersions(
  outdated: z.output<typeof outdatedSchema>,
  lockfile: Lockfile,
  root: string,
): readonly string[] {
  const places = new Set(deployedPaths(lockfile).map((path) => `${root}/${path}`));
  return Object.entries(outdated).flatMap(([name, entries]) =>
    [entries]
      .flat()
      .filter(
        ({ location, current, latest }) => places.has(location.replaceAll("\\", "/")) && current !== latest,
      )
      .map(({ current, latest }) => `${name} ${current} < ${latest}`),
  );
}
