import type { Id } from "./database.ts";

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

export type Blobs = ReturnType<typeof createBlobs>;

export function createBlobs(kv: KVNamespace) {
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

    async delete(name: BlobName): Promise<void> {
      cache.delete(keyOf(name));
      await kv.delete(keyOf(name));
    },
  };
}

function keyOf(name: BlobName): string {
  return `t/${name.connectionId}/${name.generation}/${name.fence}`;
}

function remember(key: string, sealed: string): void {
  // A Map keeps insertion order: the first key is the oldest.
  for (const oldest of cache.keys()) {
    if (cache.size < cachedBlobs) break;
    cache.delete(oldest);
  }
  cache.set(key, sealed);
}
