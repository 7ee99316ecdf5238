import type { Account } from "./account.ts";

/** A request, taken apart. */
interface Asked {
  readonly account: Account;
  /** The first variable part of the path. */
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: string;
  /** The body as a form; rejects where it is none. */
  readonly form: () => Promise<FormData>;
  /** What comes after "Bearer". */
  readonly token: string;
}

interface Answer {
  readonly status?: number;
  readonly result: unknown;
  readonly result_info?: object;
}

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** Below the account's address. */
  readonly path: RegExp;
  /** @throws Refused */
  readonly run: (asked: Asked) => Answer | Promise<Answer>;
}

/** One page of a listing; pages count from 1. */
export function pageOf(all: readonly object[], query: URLSearchParams): Answer {
  const page = Number(query.get("page") ?? 1);
  const size = Number(query.get("per_page") ?? 20);
  const result = all.slice((page - 1) * size, page * size);
  return {
    result,
    result_info: { page, per_page: size, count: result.length, total_count: all.length },
  };
}
