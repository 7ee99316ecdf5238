/**
 * A name that a request used, as an error may repeat it. A key pasted where a name belongs must not come back, so only
 * what looks like a name of this API does.
 */
export function speakable(name: PropertyKey): string {
  return typeof name === "number" || /^[a-z][a-z_]{0,31}$/.test(String(name)) ? String(name) : "?";
}
