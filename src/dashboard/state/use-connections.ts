import { api, type Answer } from "../api.ts";
import type { Connection } from "../schemas.ts";
import { usePages, type Page } from "./use-pages.ts";
import { useState } from "./use-state.ts";

export async function listConnections(cursor?: string): Promise<Answer<Page<Connection>>> {
  const answer = await api.connections(cursor);
  if (!answer.ok) return answer;
  const { connections, next_cursor } = answer.value;
  return { ok: true, value: { items: connections, next_cursor } };
}

/** The list, with `replace` to put a changed connection in the place of the one that was listed. */
export function useConnections() {
  const { pages, ...rest } = usePages(listConnections);
  const [changed, setChanged] = useState<ReadonlyMap<string, Connection>>(new Map());
  const replace = (connection: Connection) =>
    setChanged((before) => new Map(before).set(connection.id, connection));
  if (pages.state !== "ready") return { pages, replace, ...rest };
  const items = pages.value.items.map((each) => changed.get(each.id) ?? each);
  return { pages: { ...pages, value: { ...pages.value, items } }, replace, ...rest };
}
