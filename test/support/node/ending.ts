import { expect } from "vitest";
import { z } from "zod";
import type { Instance } from "./instance.ts";

const ended = z.object({
  connection: z.looseObject({ id: z.string(), status: z.string(), revocation: z.string() }),
  revocation: z.object({ outcome: z.string(), detail: z.string() }),
});

/** Disconnects, as the page or somebody with the credential does. */
export async function remove(
  instance: Instance,
  id: string,
  options: { credential?: string; purge?: boolean; user?: string } = {},
): Promise<z.output<typeof ended>> {
  const answer = await fetch(`${instance.url}/api/connections/${id}${options.purge ? "?purge=now" : ""}`, {
    method: "DELETE",
    headers: {
      authorization: `Bearer ${await instance.token(options.user)}`,
      ...(options.credential === undefined ? {} : { "bindify-credential": options.credential }),
    },
  });
  expect(answer.status).toBe(200);
  return ended.parse(await answer.json());
}

/** The row's sealed grant, wherever it is. */
export async function stored(
  instance: Instance,
  id: string,
): Promise<{ row: string | null; copies: number }> {
  const row = await instance.database
    .prepare("SELECT blob FROM connections WHERE id = ?1")
    .bind(id)
    .first<string>("blob");
  const { keys } = await instance.blobs.list({ prefix: `t/${id}/` });
  return { row, copies: keys.length };
}

export async function call(secretUrl: string): Promise<{ status: number; body: string }> {
  const answer = await fetch(secretUrl, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 7, method: "tools/list" }),
  });
  return { status: answer.status, body: await answer.text() };
}
