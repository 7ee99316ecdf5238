import { randomInt } from "node:crypto";
import { codeOf } from "../../../scripts/lib/files.ts";
import { listenOnLoopback } from "./listening.ts";

/**
 * A port of 127.0.0.1 that nobody listens on at this moment. It lies below the range that systems choose from by
 * themselves, or another test's connection could take it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    try {
      await (await listenOnLoopback(port, () => {})).close();
      return port;
    } catch (error) {
      if (codeOf(error) !== "EADDRINUSE") throw error;
    }
  }
}
