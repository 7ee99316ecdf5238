/** What the hostile server answers on a route. */
export interface Canned {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Instead of `json`. */
  readonly text?: string;
  /** Blanks before the body, bytes. */
  readonly padding?: number;
  /** Pack the answer, padding included. */
  readonly gzip?: boolean;
  /** Never answer. */
  readonly hang?: boolean;
  /** Break the connection. */
  readonly reset?: boolean;
  /** What a request with an Authorization header is answered instead. */
  readonly authorized?: Canned;
}

/** `"METHOD /path"` → answer. */
export type Routes = Readonly<Record<string, Canned>>;

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
