import type { IncomingMessage, ServerResponse } from "node:http";
import type { Collected } from "./evidence.ts";

/** A request that reached a server outside of the worker. */
export interface Received {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: string;
  /** Everything that came, as a careless server repeats it. */
  readonly echo: string;
}

/** Stands for somebody's API: keeps what reaches it, and repeats it. */
export interface Double {
  /** Whether a path is one of its own. */
  takes(path: string): boolean;
  answer(received: Received, collected: Collected): Promise<void>;
}
