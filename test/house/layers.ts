import { dirname, join } from "node:path/posix";
import { importsOf, readSource } from "./source.ts";

/** From the top down. A folder imports from the rows below its own, never from its own row or above. */
const layers: readonly (readonly string[])[] = [
  ["worker"],
  ["app", "runtime", "config"],
  ["http", "jobs"],
  ["proxy", "connect", "billing", "identity", "mail", "support", "defence"],
  ["grants"],
  ["oauth", "services", "vault", "store"],
  ["lib"],
];

/** Pure rules that a sibling may use. */
const sharedAmongSiblings = ["billing/entitlement.ts"];

/** `path` is relative to src. */
const partOf = (path: string) => path.split("/")[0]?.replace(/\.ts$/, "") ?? "";
const rankOf = (part: string) => layers.findIndex((row) => row.includes(part));
const isTop = (part: string) => rankOf(part) <= 1;

interface Rule {
  readonly pattern: RegExp;
  readonly allowed: (path: string) => boolean;
  readonly message: string;
  /** Look inside strings as well. */
  readonly strings?: boolean;
}

const rules: readonly Rule[] = [
  {
    pattern: /\b(?:D1Database|D1DatabaseSession|D1PreparedStatement|KVNamespace)\b/,
    allowed: (path) => path.startsWith("store/") || path === "runtime.ts",
    message: "only store/ and runtime.ts know D1 and KV",
  },
  {
    // A method that is called `fetch` is none of the platform's: the worker's own entry, or one behind a dot.
    pattern: /(?<![.\w$#])fetch\b(?!\s*\??:)|\b(?:globalThis|self)\s*(?:\.|\?\.|\[)/,
    allowed: (path) => path === "lib/outbound.ts" || path === "worker.ts",
    message: "only lib/outbound.ts fetches",
  },
  {
    pattern: /(?<![.\w$#])console\b/,
    allowed: (path) => path === "lib/log.ts",
    message: "only lib/log.ts writes to the console",
  },
  {
    pattern:
      /\b(?:SELECT\s+[\w*(,. ]+\s+FROM|INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE)\b|\.prepare\s*\(/,
    allowed: (path) => path.startsWith("store/"),
    message: "only store/ holds SQL",
    strings: true,
  },
];

/** What a file of `src` does against the rules; `path` is relative to src, with forward slashes. */
export function violationsOf(path: string, text: string): readonly string[] {
  const source = readSource(text);
  const imports = importsOf(source).flatMap((specifier) => judgeImport(path, specifier) ?? []);
  if (path.startsWith("dashboard/")) return imports;
  const others = rules
    .filter(
      (rule) => !rule.allowed(path) && rule.pattern.test(rule.strings ? source.withStrings : source.code),
    )
    .map((rule) => `${path}: ${rule.message}`);
  return [...imports, ...others];
}

function judgeImport(path: string, specifier: string): string | undefined {
  const says = (reason: string) => `${path} imports ${specifier}: ${reason}`;
  if (specifier === "(computed)") return says("a computed import cannot be checked");
  if (specifier.startsWith("cloudflare:")) return says("bindings enter at runtime.ts and are passed on");
  const isPage = path.startsWith("dashboard/");
  if (!specifier.startsWith(".")) {
    const isHono = specifier === "hono" || specifier.startsWith("hono/");
    if (!isHono) return undefined;
    if (isPage) return specifier.startsWith("hono/jsx") ? undefined : says("the page uses only hono/jsx");
    return path.startsWith("http/") || path === "app.ts"
      ? undefined
      : says("only http/ and app.ts import hono");
  }
  const target = join(dirname(path), specifier);
  if (target === "../package.json") return undefined;
  if (target.startsWith("..")) return says("it is outside of src");
  if (isPage !== target.startsWith("dashboard/")) return says("the page and the worker share no code");
  return isPage ? undefined : judgeLayers(partOf(path), target, says);
}

function judgeLayers(from: string, target: string, says: (reason: string) => string): string | undefined {
  const to = partOf(target);
  if (rankOf(from) === -1) return says(`src/${from} has no layer`);
  if (rankOf(to) === -1) return says(`src/${to} has no layer`);
  if (from === to || rankOf(from) < rankOf(to)) return undefined;
  if (rankOf(from) > rankOf(to)) return says("imports point downward only");
  return isTop(from) || sharedAmongSiblings.includes(target)
    ? undefined
    : says("siblings do not import each other");
}
