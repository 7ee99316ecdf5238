import { randomInt } from "node:crypto";
import { codeOf } from "../../../scripts/lib/files.ts";
import { listenOnLoopback } from "./listening.ts";

const width = 1500;
/** Each of vitest's workers has ports of its own, and what is started by a test again others: 20,000 to 32,000. */
const first = 20_000 + (Number(process.env["VITEST_POOL_ID"] ?? 0) % 8) * width;
let at = randomInt(width);

/**
 * A port of 127.0.0.1 that nobody listens on at this moment, and that nobody was given before. It lies below the range
 * that systems choose from by themselves, or another test's connection could take it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    at = (at + 1) % width;
    const port = first + at;
    try {
      await (await listenOnLoopback(port, () => {})).close();
      return port;
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE") throw error;
    }
  }
}
