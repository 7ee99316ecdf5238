import { afterAll, beforeAll, vi } from "vitest";

const isPause = (ms: number) => ms < 1000 || ms === 1500;

/**
 * Makes the waits between tries a twentieth of what they are, for the file that calls it; the database keeps its time.
 * What limits a storage that hangs stays as it is: no busy machine shall look like one.
 */
export function shortenPauses(): void {
  beforeAll(() => {
    const later = globalThis.setTimeout;
    vi.stubGlobal("setTimeout", (work: () => void, ms: number) => later(work, isPause(ms) ? ms / 20 : ms));
  });
  afterAll(() => void vi.unstubAllGlobals());
}
