const width = 24;

export interface Share {
  readonly done: number;
  readonly total: number;
}

/** Shows one wait after the other: a line that is drawn again on a terminal, plain lines elsewhere. */
export interface Progress {
  show(text: string, share: Share | undefined, now: number): void;
  /** Leaves the line as it is and begins a new one. */
  end(): void;
}

export function createProgress(out: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  let began: { readonly at: number; readonly done: number; readonly total: number } | undefined;
  let last = "";
  let drawn = false;
  return {
    show(text, share, now) {
      if (share === undefined) began = undefined;
      else if (began?.total !== share.total) began = { at: now, done: share.done, total: share.total };
      const line = share === undefined ? text : `${text}${estimate(began, share, now)}`;
      if (out.isTTY) {
        out.write(`\r\u001B[2K  ${share === undefined ? "" : `${bar(share)} `}${line}`);
        drawn = true;
      } else if (text !== last) out.write(`  ${line}\n`);
      last = text;
    },
    end() {
      if (drawn) out.write("\n");
      drawn = false;
      last = "";
      began = undefined;
    },
  };
}

function bar({ done, total }: Share): string {
  const filled = total === 0 ? width : Math.floor((Math.min(done, total) / total) * width);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}]`;
}

/** How long the rest takes at the pace so far; nothing before there is a pace. */
function estimate(
  began: { readonly at: number; readonly done: number } | undefined,
  { done, total }: Share,
  now: number,
): string {
  if (began === undefined || done <= began.done || done >= total) return "";
  const seconds = Math.ceil((((now - began.at) / (done - began.done)) * (total - done)) / 1000);
  return seconds < 90 ? `, about ${seconds} s left` : `, about ${Math.ceil(seconds / 60)} min left`;
}
