/** The value at a dotted path (`data.viewer.id`) of parsed JSON; undefined where anything on the way is missing. */
export function readPath(value: unknown, path: string): unknown {
  let current = value;
  for (const name of path.split(".")) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, name)) return undefined;
    current = Object.entries(current).find(([key]) => key === name)?.[1];
  }
  return current;
}
