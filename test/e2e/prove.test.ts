import { expect, it } from "vitest";
import { sinks } from "../../scripts/prove/evidence.ts";
import { operations } from "../../scripts/prove/operations/index.ts";
import { plants } from "../../scripts/prove/plants/index.ts";
import { kinds } from "../../scripts/prove/secrets.ts";
import { launchScript } from "../support/node/launch.ts";

it("T90 T91 `npm run prove` finds no leak, and every one that is planted", { timeout: 300_000 }, async () => {
  const running = launchScript("prove", ["--quick"], {});
  const code = await running.ended;
  const output = running.output();
  expect(output).toContain(
    `No secret leaked, and ${plants.length} of ${plants.length} planted leaks were found.`,
  );
  expect(code, output).toBe(0);
  for (const name of [...kinds, ...sinks, ...operations.map((operation) => operation.name)])
    expect(output).toContain(name);
  for (const { name } of plants) expect(output).toMatch(new RegExp(`^ *found +${name}`, "m"));
});
