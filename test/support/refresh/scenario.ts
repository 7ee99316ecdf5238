import * as fc from "fast-check";
import { regenerate } from "../../../src/connect/regenerate.ts";
import { renewConnection } from "../../../src/connect/renew.ts";
import { adoptionWait, adoptJournal } from "../../../src/grants/adopt.ts";
import { Fault } from "../../../src/lib/fault.ts";
import type { Credential } from "../../../src/vault/credential.ts";
import type { FaultPlan, StoreFault } from "./faulty.ts";
import { answering, type Behaviour } from "./provider.ts";
import type { Actor, World } from "./world.ts";

/** What one of several at once does. */
export interface Part {
  readonly role: "refresh" | "regenerate" | "sign in" | "adopt" | "disconnect";
  readonly plan: FaultPlan;
}

export interface Round {
  readonly parts: readonly Part[];
  readonly provider: readonly Behaviour[];
  /** ms that pass afterwards. */
  readonly pause: number;
}

const fault = fc.constantFrom<StoreFault>("before", "after", "killed before", "killed after");
const harmless = fc.constantFrom<StoreFault>("before");

const refresherPlan: fc.Arbitrary<FaultPlan> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.dictionary(
      fc.constantFrom(
        "grants.read",
        "grants.acquire",
        "grants.intend",
        "grants.commit",
        "grants.postpone",
        "grants.unanswered",
        "blobs.put",
        "blobs.putJournal",
        "blobs.deleteJournal",
      ),
      fc.array(fc.option(fault, { nil: undefined }), { maxLength: 3 }),
      { maxKeys: 3 },
    ),
  },
);
/** D1 that takes nothing for a while, so that journals are seen often. */
const outage = fc.constant<FaultPlan>({
  "grants.commit": Array.from({ length: 8 }, () => "before" as const),
});

const part: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ role: fc.constant("refresh" as const), plan: fc.oneof(refresherPlan, outage) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      role: fc.constantFrom("regenerate" as const, "sign in" as const),
      // Killed or unheard after the change, the person would not have the new credential.
      plan: fc.dictionary(fc.constant("grants.replace"), fc.array(harmless, { maxLength: 1 }), {
        maxKeys: 1,
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ role: fc.constant("adopt" as const), plan: refresherPlan }) },
  { weight: 1, arbitrary: fc.record({ role: fc.constant("disconnect" as const), plan: fc.constant({}) }) },
);

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Behaviour>({ kind: "shaped", shape: (tokens) => tokens }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Behaviour>(
      { kind: "lost" },
      { kind: "truncated" },
      { kind: "unreachable" },
      answering(500, ""),
      answering(429, "", { "retry-after": "3" }),
      answering(200, "<html>"),
    ),
  },
);

export const rounds: fc.Arbitrary<readonly Round[]> = fc.array(
  fc.record({
    parts: fc.array(part, { minLength: 1, maxLength: 3 }),
    provider: fc.array(behaviour, { maxLength: 3 }),
    pause: fc.constantFrom(0, 2000, 46_000, 110_000, 3_600_000),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Who holds what of the connection, outside the storage. */
export interface Holder {
  credential: Credential;
}

/** Faults that the test asked for end an attempt; anything else is a defect. */
function asked(error: unknown): boolean {
  return error instanceof Fault || (error instanceof Error && error.message.startsWith("D1_ERROR"));
}

/** Plays one part to its end, or until its process dies. */
export async function play(role: Part["role"], actor: Actor, world: World, holder: Holder): Promise<void> {
  const held = await world.present(holder.credential);
  const work = {
    refresh: async () => await actor.refresh(held),
    adopt: async () => {
      const state = await actor.deps.stores.grants.read(world.id);
      if (state === null || state.sent_at === 0 || adoptionWait(state) > 0) return;
      await adoptJournal(state, actor.deps.stores, "request");
    },
    disconnect: async () =>
      await actor.deps.stores.connections.disconnect(
        world.user.workspace_id,
        world.id,
        "awaiting_credential",
        true,
        { actor: "owner", service: "custom" },
      ),
    regenerate: async () => {
      const renewed = await regenerate(world.user, world.id, holder.credential, actor.deps);
      if (renewed.credential !== null) holder.credential = renewed.credential;
    },
    "sign in": async () => {
      const { refresh_token, access_token } = world.provider.first();
      const grant = { ...held.grant, secret: access_token, refresh_token };
      const next = { grant, storage: "zero_knowledge", present: undefined } as const;
      const renewed = await renewConnection(world.user, world.id, next, actor.deps);
      if (renewed.credential !== null) holder.credential = renewed.credential;
    },
  };
  try {
    await Promise.race([work[role](), actor.killed]);
  } catch (error) {
    if (!asked(error)) throw error;
  }
}
