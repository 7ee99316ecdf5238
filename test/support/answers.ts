import { expect } from "vitest";
import { z } from "zod";
import { faults, type FaultCode } from "../../src/lib/fault.ts";
import type { CallInit } from "./instance.ts";

const problemSchema = z.strictObject({
  type: z.literal("about:blank"),
  title: z.string().min(3),
  status: z.number(),
  code: z.string(),
  detail: z.string().min(10),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string().min(3) })).optional(),
  created: z.string().optional(),
});

export type Problem = z.output<typeof problemSchema>;

/** Reads a problem document and checks all that every one of them promises. */
export async function problemOf(response: Response, code: FaultCode): Promise<Problem> {
  const text = await response.text();
  expect(response.headers.get("content-type"), text).toBe("application/problem+json");
  const problem = problemSchema.parse(JSON.parse(text));
  expect(problem.code).toBe(code);
  expect(response.status).toBe(faults[code].status);
  expect(problem.status).toBe(response.status);
  expect(problem.detail).not.toMatch(/[{}]/);
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("set-cookie")).toBeNull();
  return problem;
}

const rpcSchema = z.strictObject({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.number()]),
  error: z.strictObject({
    code: z.number(),
    message: z.string().min(10),
    data: z.strictObject({ code: z.string() }),
  }),
});

export type RpcError = z.output<typeof rpcSchema>;

/** Reads a refusal that travels as a JSON-RPC error, and checks that a client will show it. */
export async function rpcErrorOf(response: Response, code: FaultCode): Promise<RpcError> {
  const text = await response.text();
  expect(response.status, text).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  const answer = rpcSchema.parse(JSON.parse(text));
  expect(answer.error.data.code).toBe(code);
  expect(answer.error.code).toBe(faults[code].rpc);
  expect(answer.error.message).not.toMatch(/[{}]/);
  return answer;
}

/** A JSON-RPC request as POST. */
export function rpcCall(method = "tools/list", id: string | number = 7, more: object = {}): CallInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id, method, ...more }),
  };
}

/** The same with further headers. */
export function withHeaders(init: CallInit, headers: Record<string, string>): CallInit {
  return { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...headers } };
}
