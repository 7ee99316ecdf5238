/** TypeScript source, taken apart as far as the layering rules need it. */
export interface Source {
  /** Same length as the text; comments, regular expressions and the insides of strings are blank. */
  readonly code: string;
  /** The same with the insides of strings kept: where import specifiers are looked for. */
  readonly withStrings: string;
}

const blank = (text: string) => text.replace(/[^\n]/g, " ");

/** After one of these a `/` begins a regular expression, else it divides. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|of|in|await|yield|throw|void))\s*$/;

const token = {
  comment: /\/\/[^\n]*|\/\*[\s\S]*?\*\//y,
  quoted: /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y,
  template: /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y,
  regex: /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
};

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

export function readSource(text: string): Source {
  let code = "";
  let withStrings = "";
  let at = 0;
  /** Braces open inside each `${`: the innermost last. */
  const templates: number[] = [];
  const take = (length: number, keep: "all" | "strings" | "nothing") => {
    const part = text.slice(at, at + length);
    code += keep === "all" ? part : blank(part);
    withStrings += keep === "nothing" ? blank(part) : part;
    at += length;
  };
  const takeTemplate = () => {
    take(match(token.template, text, at)?.length ?? 0, "strings");
    if (text.startsWith("${", at)) {
      templates.push(0);
      take(2, "all");
    } else take(1, "all");
  };

  while (at < text.length) {
    const comment = match(token.comment, text, at);
    const quoted = match(token.quoted, text, at);
    const char = text[at];
    if (comment !== undefined) take(comment.length, "nothing");
    else if (quoted !== undefined) {
      take(1, "all");
      take(quoted.length - 2, "strings");
      take(1, "all");
    } else if (char === "`") {
      take(1, "all");
      takeTemplate();
    } else if (char === "/" && beforeRegex.test(code.slice(-40))) {
      take(match(token.regex, text, at)?.length ?? 1, "nothing");
    } else {
      const depth = templates.at(-1);
      take(1, "all");
      if (depth === undefined) continue;
      if (char === "{") templates[templates.length - 1] = depth + 1;
      else if (char === "}" && depth > 0) templates[templates.length - 1] = depth - 1;
      else if (char === "}") {
        templates.pop();
        takeTemplate();
      }
    }
  }
  return { code, withStrings };
}

/** Every specifier that the source imports or re-exports, types and dynamic imports included. */
export function importsOf({ code, withStrings }: Source): readonly string[] {
  const patterns = [
    /\b(?:import|export)\b[^;"'`()]*?\bfrom\s*["']/g,
    /\bimport\s*["']/g,
    /\bimport\s*\(\s*["'`]/g,
    /\brequire\s*\(\s*["'`]/g,
  ];
  const specifiers = patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((found) => {
      const start = found.index + found[0].length;
      const quote = withStrings[start - 1] ?? '"';
      return withStrings.slice(start, withStrings.indexOf(quote, start));
    }),
  );
  const computed = [...code.matchAll(/\bimport\s*\(\s*(?!["'`])/g)].map(() => "(computed)");
  return [...specifiers, ...computed];
}
