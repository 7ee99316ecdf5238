/** Something that many pass and one piece of work at a time closes. */
export interface Gate {
  readonly isOpen: () => boolean;
  /** Resolves when the gate is open. */
  opened(): Promise<void>;
  /** Closes it, waits for work that closed it before, does `work` and opens it. */
  closedFor<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(): Gate {
  let last: Promise<void> = Promise.resolve();
  let closers = 0;
  return {
    isOpen: () => closers === 0,
    async opened() {
      for (let seen; seen !== last;) {
        seen = last;
        await seen;
      }
    },
    async closedFor(work) {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      closers += 1;
      await before;
      try {
        return await work();
      } finally {
        closers -= 1;
        resolve();
      }
    },
  };
}
