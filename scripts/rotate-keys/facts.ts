import { z } from "zod";
import {
  fingerprintOf,
  loadedQuery,
  progressQuery,
  referencesQuery,
} from "../../src/store/rotation-queries.ts";
import type { Rows } from "../lib/control.ts";
import { Problem } from "../lib/command.ts";
import type { Facts } from "./plan.ts";
import type { Target } from "./target.ts";

const count = z.number().int().nonnegative();
const time = z.number().int();

const loadedSchema = z.object({ fingerprints: z.string(), active: z.string(), last_at: time });

const progressSchema = z.object({
  id: z.number().int().nullable(),
  reencrypt: z.number().nullable(),
  requested_at: time.nullable(),
  rewrapped_at: time.nullable(),
  settled_at: time.nullable(),
  finished_at: time.nullable(),
  unreadable: count.nullable(),
  now: time,
  data_keys: count,
  wrapped: count,
  connections: count,
  connections_left: count,
  registrations_left: count,
});

const referencesSchema = z.object({
  wrappings: count,
  data_keys: count,
  connections: count,
  client_registrations: count,
  flows: count,
});

/**
 * Everything that decides the next step, in one question to the database. `file` lists the file's fingerprints; of
 * `asked` it is counted what needs them.
 */
export async function readFacts(
  target: Target,
  file: readonly string[],
  asked: readonly string[],
): Promise<Facts> {
  const active = file.at(-1);
  if (active === undefined) throw new Problem("The keys file lists no key.");
  const sql = [loadedQuery(), progressQuery(active), ...asked.map((one) => referencesQuery(one))];
  const [loaded = [], progress = [], ...references] = await target.query(sql.join(";\n"));
  const { id, now, ...rest } = firstOf(progressSchema, progress);
  return {
    now,
    file,
    reports: loaded.map((row) => {
      const { fingerprints, active: first, last_at } = valid(loadedSchema, row);
      return { fingerprints: fingerprints.split(",").filter(Boolean), active: first, lastAt: last_at };
    }),
    rotation:
      id === null
        ? null
        : {
            id,
            reencrypt: rest.reencrypt === 1,
            requestedAt: rest.requested_at ?? 0,
            rewrapped: rest.rewrapped_at !== null,
            settled: rest.settled_at !== null,
            finished: rest.finished_at !== null,
            unreadable: rest.unreadable ?? 0,
          },
    progress: {
      dataKeys: rest.data_keys,
      wrapped: rest.wrapped,
      connections: rest.connections,
      left: rest.connections_left + rest.registrations_left,
    },
    references: new Map(
      asked.map((fingerprint, at) => {
        const row = firstOf(referencesSchema, references[at] ?? []);
        const { client_registrations: registrations, data_keys: dataKeys, ...others } = row;
        return [fingerprintOf(fingerprint), { ...others, registrations, dataKeys }];
      }),
    ),
  };
}

function firstOf<T>(schema: z.ZodType<T>, rows: Rows): T {
  return valid(schema, rows[0]);
}

function valid<T>(schema: z.ZodType<T>, row: unknown): T {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  throw new Problem(
    "The database is not as this version expects it. Deploy this version and apply its migrations first " +
      "(`npx wrangler d1 migrations apply DB --remote`, with --config where it has one of its own).",
  );
}
