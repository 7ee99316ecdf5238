import { listenOnLoopback } from "./listening.ts";

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const listening = await listenOnLoopback(0, () => {});
  await listening.close();
  return Number(new URL(listening.url).port);
}
