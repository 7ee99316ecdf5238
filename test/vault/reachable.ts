import { toHex } from "../../src/lib/bytes.ts";

/**
 * Every string, number and byte array (as hexadecimal) that can be reached from `root` through own properties,
 * enumerable or not, symbols, accessors of prototypes, maps and sets: more than any print or serialiser shows.
 */
export function reachableText(root: unknown): string[] {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value === "string" || typeof value === "number") texts.push(String(value));
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value))
      return;
    seen.add(value);
    if (value instanceof ArrayBuffer) texts.push(toHex(new Uint8Array(value)));
    if (ArrayBuffer.isView(value)) {
      visit(value.buffer);
      return;
    }
    if (value instanceof Map || value instanceof Set) for (const entry of value.entries()) visit(entry);
    for (const property of propertiesOf(value)) visit(Reflect.get(value, property));
  };
  visit(root);
  return texts;
}

function propertiesOf(value: object): (string | symbol)[] {
  const properties: (string | symbol)[] = Reflect.ownKeys(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== "object" || prototype === null || prototype === Object.prototype)
    return properties;
  const isAccessor = (name: string | symbol) =>
    Reflect.getOwnPropertyDescriptor(prototype, name)?.get !== undefined;
  return [...properties, ...Reflect.ownKeys(prototype).filter(isAccessor)];
}
