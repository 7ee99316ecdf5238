type Step = () => void | Promise<void>;

export interface Stopping {
  /** Steps run in the reverse of the order in which they were added. */
  add(step: Step): void;
  run(): Promise<void>;
}

/** A terminal sends Ctrl-C to the whole group, and npm and the launcher hand it on: one press arrives several times. */
const echo = 750;
const patience = 10_000;

/**
 * Ends the process in order upon Ctrl-C, SIGTERM or the end of its parent; a second Ctrl-C ends it at once. `last`
 * must be synchronous: it also runs when there is no time for more.
 */
export function onStop(last: () => void): Stopping {
  const steps: Step[] = [];
  let firstSignal: number | undefined;
  let stopped: Promise<void> | undefined;

  const runSteps = async () => {
    for (const step of steps.toReversed()) {
      try {
        await step();
      } catch (error) {
        console.error(`Stopping: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  const run = () => (stopped ??= runSteps());
  const onSignal = () => {
    const now = performance.now();
    if (firstSignal !== undefined) {
      if (now - firstSignal > echo) process.exit(130);
      return;
    }
    firstSignal = now;
    setTimeout(() => process.exit(1), patience).unref();
    void run().then(() => process.exit(0));
  };

  process.once("exit", last);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onSignal();
  }, 500).unref();

  return {
    add: (step) => void steps.push(step),
    run,
  };
}
