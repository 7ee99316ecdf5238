import { styleText } from "node:util";
import { Problem, quoted } from "../lib/command.ts";
import { wrangler, type Ended } from "../lib/wrangler.ts";
import type { Asking } from "./asking.ts";

interface Change {
  /** Sent to standard input instead of an argument: an argument is visible to every program of the machine. */
  readonly secret?: string;
  readonly interactive?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Commands {
  /** Runs a command that changes nothing. In a dry run it is shown only, and answers undefined. */
  look(args: readonly string[]): Promise<Ended | undefined>;
  /** Shows a command that changes something, asks, and runs it. False where nothing was run. */
  change(why: string, args: readonly string[], options?: Change): Promise<boolean>;
  /** Says what is so, and goes on with it only where the person says yes; `otherwise` says what to do instead. */
  agree(what: string, otherwise: string): Promise<void>;
}

/** What a person would type. */
function shown(args: readonly string[], { secret, env = {} }: Change = {}): string {
  const set = Object.entries(env).flatMap(([name, value]) =>
    value === "" ? [] : `${name}=${quoted(value)} `,
  );
  const line = `${set.join("")}npx wrangler ${args.map(quoted).join(" ")}`;
  return secret === undefined ? line : `${line}   (the value goes to its standard input)`;
}

const print = (line: string): void => console.log(styleText("cyan", `  $ ${line}`));

export function createCommands(asking: Asking, isDryRun: boolean): Commands {
  return {
    async look(args) {
      print(shown(args));
      return isDryRun ? undefined : await wrangler(args);
    },
    async change(why, args, options = {}) {
      console.log(why);
      print(shown(args, options));
      if (isDryRun) return false;
      if (!(await asking.yes("  Run it?")))
        throw new Problem("Stopped. Run the command again to go on from here.");
      const { secret, ...rest } = options;
      const { code, how, stdout, stderr } = await wrangler(args, {
        ...rest,
        ...(secret === undefined ? {} : { input: `${secret}\n` }),
      });
      if (code !== 0) {
        throw new Problem(
          `${stdout}${stderr}\nThat did not work: wrangler ${how}. Put it right and run the command again: it goes ` +
            "on from here.",
        );
      }
      return true;
    },
    async agree(what, otherwise) {
      console.log(what);
      if (!(await asking.sure("  Go on with it?"))) throw new Problem(`Stopped. ${otherwise}`);
    },
  };
}
