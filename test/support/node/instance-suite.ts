import { afterAll, beforeAll } from "vitest";
import { startInstance, type Instance } from "./instance.ts";

/** An instance as `npm start` has it, for the tests of the file that calls this: handed to `take` before them, closed after. */
export function useInstance(take: (instance: Instance) => void): void {
  let instance: Instance | undefined;
  beforeAll(async () => {
    instance = await startInstance();
    take(instance);
  });
  afterAll(async () => await instance?.close());
}
