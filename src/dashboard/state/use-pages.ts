import { useCallback, useState } from "hono/jsx/dom";
import type { Answer, Failure } from "../api.ts";
import type { Connection, Connections } from "../schemas.ts";
import { useAction } from "./use-action.ts";
import { useLoad, type Loaded } from "./use-load.ts";

interface Pages {
  pages: Loaded<Connections>;
  /** Appends the next page. */
  more: () => void;
  /** What is wrong with the next page, when it did not come. */
  moreFailure: Failure | undefined;
  reload: () => void;
  /** Puts a changed connection in the place of the one that was listed. */
  replace: (connection: Connection) => void;
}

export function usePages(load: (cursor?: string) => Promise<Answer<Connections>>): Pages {
  const first = useCallback(() => load(), [load]);
  const { loaded, reload } = useLoad(first);
  const [later, setLater] = useState<Connections | undefined>(undefined);
  const [changed, setChanged] = useState<ReadonlyMap<string, Connection>>(new Map());
  const replace = (connection: Connection) =>
    setChanged((before) => new Map(before).set(connection.id, connection));
  const next = useAction(load, (page: Connections) =>
    setLater((before) => ({
      connections: [...(before?.connections ?? []), ...page.connections],
      next_cursor: page.next_cursor,
    })),
  );
  const rest = { moreFailure: next.failure, reload, replace };
  if (loaded.state !== "ready") return { pages: loaded, more: () => undefined, ...rest };
  const cursor = later === undefined ? loaded.value.next_cursor : later.next_cursor;
  const listed = [...loaded.value.connections, ...(later?.connections ?? [])];
  const connections = listed.map((each) => changed.get(each.id) ?? each);
  const more = () => {
    if (cursor) next.run(cursor);
  };
  return { pages: { state: "ready", value: { connections, next_cursor: cursor } }, more, ...rest };
}
