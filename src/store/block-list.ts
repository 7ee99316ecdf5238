/** An address that has to wait before another miss is looked at. */
export interface Block {
  /** ms since the epoch. */
  readonly until: number;
  /** How often it was blocked within the memory of the list. */
  readonly strikes: number;
}

/** Seconds that KV may answer from its edge cache, its smallest being 30. */
const edgeCacheTtl = 60;

export type BlockList = ReturnType<typeof createBlockList>;

/** `name` is the digest of an address: an address itself is never stored. */
export function createBlockList(kv: KVNamespace) {
  return {
    /**
     * The block of an address, over or not; null where none is remembered. KV remembers a miss for a minute, so other
     * locations learn of a block that late: it is a brake, and decides nothing else.
     */
    async get(name: string): Promise<Block | null> {
      const stored = await kv.get(keyOf(name), { type: "text", cacheTtl: edgeCacheTtl });
      const [, until, strikes] = /^(\d{1,15})\/(\d{1,4})$/.exec(stored ?? "") ?? [];
      return until === undefined ? null : { until: Number(until), strikes: Number(strikes) };
    },

    /** `life`: seconds until KV forgets it by itself, at least 60. */
    async put(name: string, { until, strikes }: Block, life: number): Promise<void> {
      await kv.put(keyOf(name), `${until}/${strikes}`, { expirationTtl: life });
    },
  };
}

function keyOf(name: string): string {
  return `b/${name}`;
}
