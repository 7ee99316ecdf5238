import { expect, it } from "vitest";
import { createProgress } from "../../scripts/rotate-keys/progress.ts";

function shown(isTTY: boolean) {
  const written: string[] = [];
  return { written, progress: createProgress({ isTTY, write: (text) => written.push(text) }) };
}

it("draws one line again and again on a terminal, with a bar and an estimate once there is a pace", () => {
  const { written, progress } = shown(true);
  progress.show("wrapping: 0 of 100 data keys", { done: 0, total: 100 }, 0);
  progress.show("wrapping: 25 of 100 data keys", { done: 25, total: 100 }, 10_000);
  progress.end();
  expect(written).toEqual([
    "\r\u001B[2K  [........................] wrapping: 0 of 100 data keys",
    "\r\u001B[2K  [######..................] wrapping: 25 of 100 data keys, about 30 s left",
    "\n",
  ]);
});

it("writes a line for what changed where nobody watches", () => {
  const { written, progress } = shown(false);
  progress.show("waiting", undefined, 0);
  progress.show("waiting", undefined, 1);
  progress.show("wrapping: 1 of 2", { done: 1, total: 2 }, 2);
  progress.end();
  expect(written).toEqual(["  waiting\n", "  wrapping: 1 of 2\n"]);
});
