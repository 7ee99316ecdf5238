/** How far a run is: the last data key of the page before, and the last connection of the present page. */
export interface Position {
  readonly rotation: number;
  readonly key: string;
  readonly connection: { readonly dataKey: string; readonly id: string };
}

export const beginning: Position = { rotation: -1, key: "", connection: { dataKey: "", id: "" } };

/** As the row of the rotation keeps it. */
export function format({ rotation, key, connection }: Position): string {
  return [rotation, key, connection.dataKey, connection.id].join("/");
}

/** Of an empty text: the beginning. */
export function parse(text: string): Position {
  const [rotation = "", key = "", dataKey = "", id = ""] = text.split("/");
  return rotation === "" ? beginning : { rotation: Number(rotation), key, connection: { dataKey, id } };
}
