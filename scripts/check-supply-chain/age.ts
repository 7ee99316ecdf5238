import { type Lockfile, nameOf } from "./lockfile.ts";

interface Package {
  readonly name: string;
  readonly version: string;
}

/** What the lockfile installs for more than development: all that a deployment can hold. */
export function deployedPackages({ packages }: Lockfile): readonly Package[] {
  return Object.entries(packages)
    .filter(([path, entry]) => path !== "" && entry.dev !== true && entry.devOptional !== true)
    .map(([path, { version = "" }]) => ({ name: nameOf(path), version }));
}

/**
 * What the registry's word on the newest version of each deployed package comes to, in a sentence. Where each is at it,
 * no advisory can hold for what is deployed that an update would mend. `newest` answers undefined where the registry
 * said nothing.
 */
export function describeAge(
  deployed: readonly Package[],
  newest: (name: string) => string | undefined,
): string {
  const unknown = deployed.filter(({ name }) => newest(name) === undefined).map(({ name }) => name);
  const other = deployed.flatMap(({ name, version }) => {
    const latest = newest(name);
    return latest === undefined || latest === version ? [] : [`${name} ${version} (latest: ${latest})`];
  });
  if (unknown.length > 0)
    return `Deployed packages of which the newest version is NOT KNOWN: ${unknown.join(", ")}.`;
  if (other.length > 0)
    return `Deployed packages that are not at the version that the registry calls latest: ${other.join(", ")}.`;
  return (
    `Each of the ${deployed.length} deployed packages is at the version that the registry calls latest: no advisory ` +
    "can hold against them that an update would mend."
  );
}
