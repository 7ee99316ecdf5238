import type { Adapter, StoredPayload } from "./oidc.mjs";

interface Entry {
  payload: StoredPayload;
  expiresAt: number;
}

export interface TokenStore {
  /** A factory in the form that oidc-provider's `adapter` setting takes. */
  adapter: (model: string) => Adapter;
  /** Forgets every stored artifact of these models, as if the provider had ended them. */
  drop(...models: string[]): void;
}

/**
 * Everything in memory. oidc-provider's own memory store keeps 1,000 entries and then forgets the oldest,
 * which a test with many grants would see as tokens that die for no reason.
 */
export function createTokenStore(): TokenStore {
  const models = new Map<string, Map<string, Entry>>();
  const entriesOf = (model: string) => {
    const entries = models.get(model) ?? new Map<string, Entry>();
    models.set(model, entries);
    return entries;
  };
  const live = (entry: Entry | undefined) =>
    entry && entry.expiresAt > Date.now() ? entry.payload : undefined;

  function adapter(model: string): Adapter {
    const entries = entriesOf(model);
    const findBy = (name: string, value: string) =>
      live([...entries.values()].find((entry) => entry.payload[name] === value));
    return {
      upsert: async (id, payload, expiresIn) => {
        const expiresAt = expiresIn === undefined ? Infinity : Date.now() + expiresIn * 1000;
        entries.set(id, { payload, expiresAt });
      },
      find: async (id) => live(entries.get(id)),
      findByUid: async (uid) => findBy("uid", uid),
      findByUserCode: async (userCode) => findBy("userCode", userCode),
      consume: async (id) => {
        const entry = entries.get(id);
        if (entry) entry.payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => {
        entries.delete(id);
      },
      revokeByGrantId: async (grantId) => {
        for (const [id, entry] of entries) if (entry.payload.grantId === grantId) entries.delete(id);
      },
    };
  }

  return {
    adapter,
    drop: (...names) => {
      for (const name of names) entriesOf(name).clear();
    },
  };
}
