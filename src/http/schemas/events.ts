import { z } from "zod";
import { limitOf, time } from "./fields.ts";

const seq = z.number().int().min(0);
const place = z.strictObject({ seq, hash: z.string() });

const event = z
  .strictObject({
    seq,
    at: time,
    type: z.string(),
    actor: z.string().meta({ description: "`owner`, `system`, or the id of an API token." }),
    connection_id: z.string().nullable(),
    service: z.string().nullable(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    hash: z.string(),
  })
  .meta({ id: "Event" });

export const eventsQuery = z.strictObject({
  type: z.string().max(40).optional(),
  connection: z.string().max(60).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  limit: limitOf(200, 50),
  cursor: z
    .string()
    .regex(/^\d{1,15}\.\d{1,15}$/, { error: "must be the next_cursor of the page before" })
    .optional(),
});

export const eventsPage = z.strictObject({ events: z.array(event), next_cursor: z.string().nullable() });

const chainPlace = z.string().regex(/^\d{1,15}\.[A-Za-z0-9_-]{0,43}$/, { error: "must be <seq>.<hash>" });

export const verifyQuery = z.strictObject({
  cursor: chainPlace.optional(),
  expect: chainPlace
    .optional()
    .meta({ description: "An event as you know it, from an export: it must still be the same." }),
});

export const verified = z.strictObject({
  ok: z.boolean(),
  checked: z.number().int(),
  first_broken: z.number().int().optional(),
  expect: z.enum(["matched", "behind_checkpoint"]).optional().meta({
    description:
      "What became of `expect`: it is still the same, or it lies behind the checkpoint and cannot be compared any more.",
  }),
  head: place,
  checkpoint: place,
  next_cursor: z.string().nullable(),
});

export const exportQuery = z.strictObject({ after: z.coerce.number().int().min(0).default(0) });
