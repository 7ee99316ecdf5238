import { toHex, utf8 } from "../../src/lib/bytes.ts";

/** A value that may be nowhere but in the places that are allowed by name. */
export interface Canary {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Where something may have leaked to: a log line, a row, a KV value, a body. */
export interface Haystack {
  readonly place: string;
  readonly text: string;
}

export interface Leak {
  readonly canary: string;
  readonly place: string;
  readonly form: string;
}

/** A shorter needle would be found by chance. */
const shortest = 12;

export function textCanary(name: string, text: string): Canary {
  return { name, bytes: utf8(text) };
}

interface Needle {
  readonly form: string;
  readonly text: string;
  /** Hexadecimal digits may be in either case. */
  readonly anyCase: boolean;
}

const exact = (form: string, text: string): Needle => ({ form, text, anyCase: false });
const anyCase = (form: string, text: string): Needle => ({ form, text, anyCase: true });

/** Every way in which bytes are commonly written down. */
function needlesOf({ name, bytes }: Canary): readonly Needle[] {
  if (bytes.length < shortest) throw new RangeError(`the canary ${name} is too short to be found surely`);
  const latin1 = String.fromCharCode(...bytes);
  const text = new TextDecoder().decode(bytes);
  const hex = toHex(bytes);
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  return [
    exact("raw", latin1),
    exact("utf-8", text),
    anyCase("percent", encodeURIComponent(text)),
    anyCase("percent, all", pairs.map((pair) => `%${pair}`).join("")),
    anyCase("hex", hex),
    anyCase("hex, spaced", pairs.join(" ")),
    anyCase("hex, colons", pairs.join(":")),
    exact("json", JSON.stringify(text).slice(1, -1)),
    anyCase("json, all", pairs.map((pair) => `\\u00${pair}`).join("")),
    exact("bytes", [...bytes].join(",")),
    ...[0, 1, 2].flatMap((offset) => {
      const base64 = alignedBase64(bytes, offset);
      return [
        exact(`base64+${offset}`, base64),
        exact(`base64url+${offset}`, base64.replaceAll("+", "-").replaceAll("/", "_")),
        anyCase(`base64+${offset}, percent`, encodeURIComponent(base64)),
      ];
    }),
  ];
}

/** The base64 characters that these bytes decide alone when `offset` other bytes (mod 3) precede them. */
function alignedBase64(bytes: Uint8Array, offset: number): string {
  const shifted = new Uint8Array(offset + bytes.length);
  shifted.set(bytes, offset);
  const text = btoa(String.fromCharCode(...shifted)).replace(/=+$/, "");
  // A character holds six bits: those that share bits with a neighbour are not ours to predict.
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor((shifted.length * 8) / 6));
}

/** Everything that is where it must not be. */
export function findLeaks(haystacks: readonly Haystack[], canaries: readonly Canary[]): readonly Leak[] {
  const folded = haystacks.map((hay) => ({ ...hay, folded: hay.text.toLowerCase() }));
  return canaries.flatMap((canary) =>
    needlesOf(canary).flatMap(({ form, text, anyCase: folds }) => {
      const needle = folds ? text.toLowerCase() : text;
      return folded
        .filter((hay) => (folds ? hay.folded : hay.text).includes(needle))
        .map((hay) => ({ canary: canary.name, place: hay.place, form }));
    }),
  );
}

/** A dump as haystacks, one for each cell and KV entry: what a person with a copy of the storage reads. */
export function storageHaystacks(dump: {
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;
  readonly kv: Readonly<Record<string, string>>;
}): readonly Haystack[] {
  const cells = Object.entries(dump.tables).flatMap(([table, rows]) =>
    rows.flatMap((row) =>
      Object.entries(row).map(([column, value]) => ({ place: `d1 ${table}.${column}`, text: String(value) })),
    ),
  );
  const values = Object.entries(dump.kv).flatMap(([key, value]) => [
    { place: "kv key", text: key },
    { place: "kv value", text: value },
  ]);
  return [...cells, ...values];
}
