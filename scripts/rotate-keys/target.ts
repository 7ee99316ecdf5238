import type { Rows } from "../lib/control.ts";

/** A deployment whose keys are rotated: its database, its secret, and nothing else. */
export interface Target {
  /** As an operator would name it. */
  readonly name: string;
  /** How long to wait between two looks at the database, ms. */
  readonly interval: number;
  /** Runs statements that hold no secret; answers the rows of each. Throws `Problem`. */
  query(sql: string): Promise<readonly Rows[]>;
  /** Replaces the secret MANAGED_ENCRYPTION_KEYS. Repeating it is harmless. Throws `Problem`. */
  putSecret(text: string): Promise<void>;
  /** What tells wrangler which deployment it is, where it is one. */
  readonly selection?: readonly string[];
  /** Names of the deployment's secrets, where it has any besides. */
  readonly secretNames?: () => Promise<readonly string[]>;
  /** Lets the worker do its minute's work now, where that can be asked for. */
  readonly hurry?: () => Promise<void>;
}
