import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";

/** What a version was uploaded with, as far as somebody looks at it. */
export const metadataSchema = z.looseObject({
  main_module: z.string(),
  bindings: z.array(z.looseObject({ name: z.string(), type: z.string() })),
  keep_bindings: z.array(z.string()).default([]),
  assets: z.looseObject({ jwt: z.string() }).optional(),
});

export type Metadata = z.output<typeof metadataSchema>;

export interface Version {
  readonly id: string;
  readonly metadata: Metadata;
  /** Contents of modules and source maps by name. */
  readonly modules: ReadonlyMap<string, string>;
  /** Hash of each file of the page by its path. */
  readonly page: Readonly<Record<string, string>>;
}

export interface Worker {
  /** The newest last. */
  readonly versions: Version[];
  /** Id of the version that serves everything. */
  deployed: string;
  /** Kept from version to version. */
  readonly secrets: Map<string, string>;
  crons: readonly string[];
  /** As `wrangler.toml` names them. */
  workersDev: boolean;
  previewUrls: boolean;
  settings: unknown;
}

export interface Database {
  readonly uuid: string;
  readonly name: string;
  /** What it was created with besides. */
  readonly place: Readonly<Record<string, unknown>>;
  readonly rows: DatabaseSync;
}

/** A request that is refused, as often as it comes. `path` is searched below the account's address. */
export interface Refusal {
  readonly method: string;
  readonly path: RegExp;
  readonly status: number;
  readonly code: number;
  readonly message: string;
}

interface Arrival {
  readonly method: string;
  /** Below the account's address where it has one, without the query. */
  readonly path: string;
  readonly body: string;
}

/** What Cloudflare keeps of one account. */
export interface Account {
  readonly id: string;
  /** The token that may do everything. */
  readonly token: string;
  /** The account's part of workers.dev addresses; new accounts have none. */
  subdomain: string | undefined;
  readonly databases: Map<string, Database>;
  /** Titles of KV namespaces by id. */
  readonly namespaces: Map<string, string>;
  readonly workers: Map<string, Worker>;
  /** Base64 of the page's files by hash. */
  readonly files: Map<string, string>;
  /** What an upload session was begun with, by its token. */
  readonly sessions: Map<string, Readonly<Record<string, string>>>;
  readonly arrivals: Arrival[];
  /** Requests that no route answers: the double lacks one, or something new is asked for. */
  readonly unknown: string[];
  refusals: readonly Refusal[];
  /** What a deployed worker does by itself, such as its minute job; called after each change. */
  atWork: (() => void) | undefined;
}

export function createAccount(): Account {
  return {
    id: newId(),
    token: `token-${newId()}`,
    subdomain: undefined,
    databases: new Map(),
    namespaces: new Map(),
    workers: new Map(),
    files: new Map(),
    sessions: new Map(),
    arrivals: [],
    unknown: [],
    refusals: [],
    atWork: undefined,
  };
}

/** 32 hexadecimal digits, as accounts and KV namespaces have them. */
export const newId = (): string => randomUUID().replaceAll("-", "");

/** A request that is answered with an error. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function deployedVersion(worker: Worker): Version {
  const version = worker.versions.find(({ id }) => id === worker.deployed);
  if (version === undefined) throw new Refused(404, 10_008, "This version does not exist.");
  return version;
}
