import { useCallback } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";
import { useAction } from "./use-action.ts";
import { useLoad, type Loaded } from "./use-load.ts";
import { useState } from "./use-state.ts";

export interface Page<I> {
  items: readonly I[];
  next_cursor?: string | null | undefined;
}

interface Pages<I> {
  pages: Loaded<Page<I>>;
  /** Appends the next page. */
  more: () => void;
  /** What is wrong with the next page, when it did not come. */
  moreFailure: Failure | undefined;
  reload: () => void;
}

/** A list that comes in pages, newest first. */
export function usePages<I>(load: (cursor?: string) => Promise<Answer<Page<I>>>): Pages<I> {
  const first = useCallback(() => load(), [load]);
  const { loaded, reload: again } = useLoad(first);
  const [later, setLater] = useState<Page<I> | undefined>(undefined);
  const next = useAction(load, (page: Page<I>) =>
    setLater((before) => ({
      items: [...(before?.items ?? []), ...page.items],
      next_cursor: page.next_cursor,
    })),
  );
  const reload = () => {
    setLater(undefined);
    again();
  };
  const rest = { moreFailure: next.failure, reload };
  if (loaded.state !== "ready") return { pages: loaded, more: () => undefined, ...rest };
  const cursor = later === undefined ? loaded.value.next_cursor : later.next_cursor;
  const items = [...loaded.value.items, ...(later?.items ?? [])];
  const more = () => {
    if (cursor) next.run(cursor);
  };
  return { pages: { state: "ready", value: { items, next_cursor: cursor } }, more, ...rest };
}
