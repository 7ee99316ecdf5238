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
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  return [
    exact("raw", latin1),
    exact("utf-8", text),
    anyCase("percent", encodeURIComponent(text)),
    anyCase("form", form),
    anyCase("percent, all", pairs.map((pair) => `%${pair}`).join("")),
    anyCase("hex", hex),
    anyCase("hex, spaced", pairs.join(" ")),
    anyCase("hex, colons", pairs.join(":")),
    exact("json", JSON.stringify(text).slice(1, -1)),
    anyCase("json, all", pairs.map((pair) => `\\u00${pair}`).join("")),
    exact("bytes", [...bytes].join(",")),
    ...base64Needles("base64", bytes),
    // RFC 6749 §2.3.1: a client's secret is form-encoded before it goes into Basic authentication.
    ...(form === text ? [] : base64Needles("form, base64", utf8(form))),
  ];
}

function base64Needles(name: string, bytes: Uint8Array): readonly Needle[] {
  return [0, 1, 2].flatMap((offset) => {
    const base64 = alignedBase64(bytes, offset);
    return [
      exact(`${name}+${offset}`, base64),
      exact(`${name}url+${offset}`, base64.replaceAll("+", "-").replaceAll("/", "_")),
      anyCase(`${name}+${offset}, percent`, encodeURIComponent(base64)),
    ];
  });
}

/** The base64 characters that these bytes decide alone when `offset` other bytes (mod 3) precede them. */
function alignedBase64(bytes: Uint8Array, offset: number): string {
  const shifted = new Uint8Array(offset + bytes.length);
  shifted.set(bytes, offset);
  const text = btoa(String.fromCharCode(...shifted)).replace(/=+$/, "");
  // A character holds six bits: those that share bits with a neighbour are not ours to predict.
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor((shifted.length * 8) / 6));
}

/** The ways of writing that are looked for, each with what of it a scanner compares. */
export const forms: readonly string[] = [
  ...new Set(needlesOf(textCanary("", "0/23456789ab")).map(({ form }) => form)),
];

/** Needles are found by this many characters first. */
const beginning = 12;
/** Of the rolling hash, so many bits choose a place in the filter. */
const filterBits = 22;
const base = 0x01_00_01_93;
const outgoing = Array.from({ length: beginning - 1 }).reduce<number>((power) => Math.imul(power, base), 1);

interface Index {
  readonly filter: Uint8Array;
  readonly byBeginning: ReadonlyMap<string, readonly { readonly canary: Canary; readonly needle: Needle }[]>;
}

interface Hit<C extends Canary> {
  readonly canary: C;
  readonly form: string;
}

/**
 * Looks for any number of canaries in one pass over each text: a rolling hash finds where a needle may begin. Answers
 * what a text holds, each needle once.
 */
export function createScanner<C extends Canary>(canaries: readonly C[]): (text: string) => readonly Hit<C>[] {
  const own = new Map<Canary, C>(canaries.map((canary) => [canary, canary]));
  const needles = canaries.flatMap((canary) => needlesOf(canary).map((needle) => ({ canary, needle })));
  const exactIndex = indexOf(needles.filter(({ needle }) => !needle.anyCase));
  const foldedIndex = indexOf(
    needles
      .filter(({ needle }) => needle.anyCase)
      .map(({ canary, needle }) => ({ canary, needle: { ...needle, text: needle.text.toLowerCase() } })),
  );
  return (text) => {
    const hits = new Map<Needle, Hit<C>>();
    for (const [index, hay] of [
      [exactIndex, text],
      [foldedIndex, text.toLowerCase()],
    ] as const) {
      for (const { canary, needle } of findIn(hay, index)) {
        const whose = own.get(canary);
        if (whose !== undefined) hits.set(needle, { canary: whose, form: needle.form });
      }
    }
    return [...hits.values()];
  };
}

function indexOf(needles: readonly { readonly canary: Canary; readonly needle: Needle }[]): Index {
  const filter = new Uint8Array(1 << filterBits);
  const byBeginning = Map.groupBy(needles, ({ needle }) => needle.text.slice(0, beginning));
  for (const start of byBeginning.keys()) {
    // Characters of several bytes can make a needle shorter than what is compared first.
    if (start.length < beginning) throw new RangeError("a needle is too short to be found surely");
    filter[placeOf(hashOf(start, 0))] = 1;
  }
  return { filter, byBeginning };
}

function* findIn(hay: string, { filter, byBeginning }: Index) {
  if (hay.length < beginning || byBeginning.size === 0) return;
  let hash = hashOf(hay, 0);
  for (let at = 0; ; at += 1) {
    if (filter[placeOf(hash)] === 1) {
      for (const found of byBeginning.get(hay.slice(at, at + beginning)) ?? []) {
        if (hay.startsWith(found.needle.text, at)) yield found;
      }
    }
    if (at + beginning >= hay.length) return;
    hash =
      (Math.imul(hash - Math.imul(hay.charCodeAt(at), outgoing), base) + hay.charCodeAt(at + beginning)) | 0;
  }
}

function hashOf(text: string, from: number): number {
  let hash = 0;
  for (let at = from; at < from + beginning; at += 1)
    hash = (Math.imul(hash, base) + text.charCodeAt(at)) | 0;
  return hash;
}

function placeOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & ((1 << filterBits) - 1);
}

/** Everything that is where it must not be. */
export function findLeaks(haystacks: readonly Haystack[], canaries: readonly Canary[]): readonly Leak[] {
  const scan = createScanner(canaries);
  return haystacks.flatMap(({ place, text }) =>
    scan(text).map(({ canary, form }) => ({ canary: canary.name, place, form })),
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
