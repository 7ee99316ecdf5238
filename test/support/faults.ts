import { env } from "cloudflare:workers";
import type { TestEnv } from "./instance.ts";

/** Every method of a binding fails with this message, as a driver that quotes what it was given does. */
function failing<T extends object>(binding: T, message: string): T {
  return new Proxy(binding, {
    get: () => () => {
      throw new Error(message);
    },
  });
}

/** The bindings and settings, broken one at a time; what is given is in the message of every error. */
export const brokenEnvironments: Readonly<Record<string, (quoted: string) => Partial<TestEnv>>> = {
  "D1 fails": (quoted) => ({ DB: failing(env.DB, `D1_ERROR: near ${quoted}`) }),
  "D1 fails oddly": (quoted) => ({ DB: failing(env.DB, `TypeError ${quoted}`) }),
  "the writes of D1 fail": (quoted) => ({ DB: failingWrites(env.DB, quoted) }),
  "KV fails": (quoted) => ({ BLOBS: failing(env.BLOBS, `KV GET failed: ${quoted}`) }),
  "the limiter of calls fails": (quoted) => ({ CONNECTION_LIMIT: failing(env.CONNECTION_LIMIT, quoted) }),
  "the limiter of guesses fails": (quoted) => ({ MISS_LIMIT: failing(env.MISS_LIMIT, quoted) }),
  "a variable is wrong": (quoted) => ({ SECRET_ENV: quoted }),
  "a master key is wrong": (quoted) => ({ MANAGED_ENCRYPTION_KEYS: quoted }),
};

function failingWrites(db: D1Database, message: string): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name !== "prepare") return () => Promise.reject(new Error(`D1_ERROR: ${message}`));
      return (sql: string) => {
        if (/^\s*SELECT/i.test(sql)) return target.prepare(sql);
        throw new Error(`D1_ERROR: ${message}`);
      };
    },
  });
}
