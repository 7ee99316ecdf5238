import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { newId, Refused, type Account, type Database } from "./account.ts";
import { runStatements } from "./database.ts";
import { pageOf, type Route } from "./route.ts";

const databaseSchema = z.strictObject({
  name: z.string(),
  jurisdiction: z.string().optional(),
  primary_location_hint: z.string().optional(),
});
const querySchema = z.strictObject({ sql: z.string() });
const namespaceSchema = z.object({ title: z.string() });

function found({ databases }: Account, id: string): Database {
  const database = [...databases.values()].find(({ uuid, name }) => uuid === id || name === id);
  if (database === undefined) throw new Refused(404, 7404, `The database ${id} could not be found`);
  return database;
}

/** D1 and KV, below the account's address. */
export const storageRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/d1\/database$/,
    run: ({ account, query }) =>
      pageOf(
        [...account.databases.values()].map(({ uuid, name }) => ({ uuid, name, version: "production" })),
        query,
      ),
  },
  {
    method: "POST",
    path: /^\/d1\/database$/,
    run({ account, body }) {
      const { name, ...place } = databaseSchema.parse(JSON.parse(body));
      if ([...account.databases.values()].some((one) => one.name === name)) {
        throw new Refused(400, 7502, `A database with the name ${name} already exists`);
      }
      const uuid = randomUUID();
      account.databases.set(uuid, { uuid, name, place, rows: new DatabaseSync(":memory:") });
      return { result: { uuid, name, version: "production" } };
    },
  },
  {
    method: "GET",
    path: /^\/d1\/database\/([^/]+)$/,
    run({ account, id }) {
      const { uuid, name } = found(account, id);
      return { result: { uuid, name, version: "production" } };
    },
  },
  {
    method: "POST",
    path: /^\/d1\/database\/([^/]+)\/query$/,
    run({ account, id, body }) {
      const { sql } = querySchema.parse(JSON.parse(body));
      return { result: runStatements(found(account, id).rows, sql) };
    },
  },
  {
    method: "GET",
    path: /^\/storage\/kv\/namespaces$/,
    run: ({ account, query }) =>
      pageOf(
        [...account.namespaces].map(([id, title]) => ({ id, title, supports_url_encoding: true })),
        query,
      ),
  },
  {
    method: "POST",
    path: /^\/storage\/kv\/namespaces$/,
    run({ account, body }) {
      const { title } = namespaceSchema.parse(JSON.parse(body));
      if ([...account.namespaces.values()].includes(title)) {
        throw new Refused(400, 10_014, "a namespace with this account ID and title already exists");
      }
      const id = newId();
      account.namespaces.set(id, title);
      return { result: { id, title, supports_url_encoding: true } };
    },
  },
];
