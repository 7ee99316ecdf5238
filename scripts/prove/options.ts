import { randomInt } from "node:crypto";
import { Problem, readArguments } from "../lib/command.ts";

export const usage = `
npm run prove [-- OPTIONS]

Looks for leaks. Runs the worker as it ships, with services, sign-ins, mail and a help desk around it that repeat every
secret they are sent, and storage that quotes what it was given where it fails. It lets random things happen and go
wrong, and then looks for each secret, in every encoding, in everything that was logged, stored, answered, mailed or
sent on. The few places where a secret has to be are printed; anything else is a leak. Then it leaks on purpose, from one
changed line at a time, and must find each of those. Exit code 0 only if nothing leaked and every planted leak was found.
Nothing leaves this machine.

  --quick       about a minute: planted leaks share builds, and less random use
  --seconds N   length of the random use (whole seconds; 45, with --quick 8)
  --seed N      repeats the choices of a run (not its timing)
  --help        this text
`;

export interface Options {
  readonly seed: number;
  readonly seconds: number;
  readonly quick: boolean;
}

function whole(given: string | undefined, fallback: number, flag: string, most: number): number {
  if (given === undefined) return fallback;
  const value = Number(given);
  if (!/^\d{1,10}$/.test(given) || value > most)
    throw new Problem(`${flag} takes a whole number up to ${most}.`, 2);
  return value;
}

/** Reads the command line. @throws Problem */
export function readOptions(args: readonly string[]): Options {
  const { values } = readArguments({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      seed: { type: "string" },
    },
  });
  return {
    quick: values.quick,
    seconds: whole(values.seconds, values.quick ? 8 : 45, "--seconds", 86_400),
    seed: whole(values.seed, randomInt(1_000_000_000), "--seed", 4_294_967_295),
  };
}
