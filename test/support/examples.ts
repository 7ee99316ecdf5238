export interface ExampleVariable {
  readonly name: string;
  /** As it is written, quotes included. */
  readonly value: string;
  /** The comment right above it, as one line. */
  readonly comment: string;
}

/** The variables of an example file: `NAME = "value"` or `NAME=value`, or commented out, below their description. */
export function readExample(text: string): readonly ExampleVariable[] {
  return text.split(/\n\s*\n/).flatMap((block) => {
    const lines = block.trim().split("\n");
    const found = /^(?:# )?([A-Z][A-Z0-9_]*)\s*=\s*(.*)$/.exec(lines.at(-1) ?? "");
    if (found?.[1] === undefined) return [];
    const comment = lines.slice(0, -1).map((line) => line.replace(/^# ?/, ""));
    return [{ name: found[1], value: found[2] ?? "", comment: comment.join(" ") }];
  });
}
