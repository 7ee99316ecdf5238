import { errorKind, type Log, type TaskName } from "./log.ts";

/** Work that outlives the answer. It has a name, and its failure is logged under it. */
export type Defer = (task: TaskName, work: Promise<unknown>) => void;

export function createDefer(waitUntil: (work: Promise<unknown>) => void, log: Log): Defer {
  return (task, work) => {
    waitUntil(
      work.catch((error: unknown) => {
        log({ event: "deferred_failed", task, error: errorKind(error) });
      }),
    );
  };
}
