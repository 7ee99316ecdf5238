import type { Id } from "./database.ts";
import type { TokenFacts } from "./grant-row.ts";

/** Names one sealed blob: it is written once and never changed. */
export interface BlobName {
  readonly connectionId: Id;
  readonly generation: number;
  readonly fence: number;
}

/** Seconds KV may answer from its edge cache. Long, because a blob under its name never changes. */
const edgeCacheTtl = 86_400;
/** Sealed blobs kept in this isolate; at about 1 KB each, a fraction of its memory. */
const cachedBlobs = 2000;

/** Sealed bytes only: whoever reads this memory holds what D1 and KV hold, and no more. */
const cache = new Map<string, string>();

/** A refresh that D1 would not take: the sealed blob, and what can be known of it without opening. */
export interface Journal {
  readonly blob: string;
  readonly facts: TokenFacts;
}

/** The facts as they are beside a journal: an earlier version wrote none of `due_at`. */
type StoredFacts = Omit<TokenFacts, "due_at"> & Partial<Pick<TokenFacts, "due_at">>;

/** Seconds a journal is kept: by then it was adopted, or the person has signed in again. */
const journalLife = 7 * 86_400;

export type Blobs = ReturnType<typeof createBlobs>;

export function createBlobs(kv: KVNamespace) {
  const deleteKey = async (key: string): Promise<void> => {
    cache.delete(key);
    await kv.delete(key);
  };

  return {
    /**
     * The sealed blob, or null where KV does not show it (yet). Never asked for a name that may not have been
     * written: KV remembers a miss for a minute.
     */
    async get(name: BlobName): Promise<string | null> {
      const key = keyOf(name);
      const cached = cache.get(key);
      if (cached !== undefined) return cached;
      const stored = await kv.get(key, { type: "text", cacheTtl: edgeCacheTtl });
      if (stored !== null) remember(key, stored);
      return stored;
    },

    async put(name: BlobName, sealed: string): Promise<void> {
      await kv.put(keyOf(name), sealed);
    },

    async putJournal(name: BlobName, journal: Journal): Promise<void> {
      await kv.put(journalKeyOf(name), journal.blob, { metadata: journal.facts, expirationTtl: journalLife });
    },

    /** Asked for only once no writer can still be about to write it: KV remembers a miss. */
    async getJournal(name: BlobName): Promise<Journal | null> {
      const { value, metadata } = await kv.getWithMetadata<StoredFacts>(journalKeyOf(name), { type: "text" });
      if (value === null || metadata === null) return null;
      return { blob: value, facts: { ...metadata, due_at: metadata.due_at ?? null } };
    },

    async deleteJournal(name: BlobName): Promise<void> {
      await kv.delete(journalKeyOf(name));
    },

    async delete(name: BlobName): Promise<void> {
      await deleteKey(keyOf(name));
    },

    deleteKey,

    /** Every key that KV lists for a connection: blobs and journals. KV lists late; a key may be gone already. */
    async keysOf(connectionId: Id): Promise<readonly string[]> {
      const keys: string[] = [];
      for (const prefix of [`t/${connectionId}/`, `j/${connectionId}/`]) {
        let cursor: string | null = null;
        do {
          const page: KVNamespaceListResult<unknown> = await kv.list({ prefix, cursor });
          keys.push(...page.keys.map((key) => key.name));
          cursor = page.list_complete ? null : page.cursor;
        } while (cursor !== null);
      }
      return keys;
    },
  };
}

function keyOf(name: BlobName): string {
  return `t/${name.connectionId}/${name.generation}/${name.fence}`;
}

/** `generation` is the one that the journal would become. */
function journalKeyOf(name: BlobName): string {
  return `j/${name.connectionId}/${name.generation}/${name.fence}`;
}

function remember(key: string, sealed: string): void {
  // A Map keeps insertion order: the first key is the oldest.
  for (const oldest of cache.keys()) {
    if (cache.size < cachedBlobs) break;
    cache.delete(oldest);
  }
  cache.set(key, sealed);
}
