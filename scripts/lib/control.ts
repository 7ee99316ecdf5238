import { request } from "node:http";
import { z } from "zod";
import { Problem } from "./command.ts";

/** What `npm start` does for the operator's scripts, over a socket that only its own user can open. */
export const operations = ["query", "put_managed_keys", "run_cron"] as const;
export type Operation = (typeof operations)[number];

export type Row = Readonly<Record<string, unknown>>;
export type Rows = readonly Row[];

const answerSchema = z.union([
  z.object({ results: z.array(z.array(z.record(z.string(), z.unknown()))) }),
  z.object({ problem: z.string() }),
]);

export interface Control {
  /** Runs SQL on the local database, all statements in one transaction; answers the rows of each. */
  query(sql: string): Promise<readonly Rows[]>;
  /** Stores the text of MANAGED_ENCRYPTION_KEYS and replaces the worker by one that has it. */
  putManagedKeys(text: string): Promise<void>;
  /** Fires a cron pattern now, instead of at its minute. */
  runCron(cron: string): Promise<void>;
}

/** `socket`: the path in instance.json. */
export function createControl(socket: string): Control {
  const call = async (operation: Operation, body: string): Promise<readonly Rows[]> => {
    const answer = answerSchema.parse(JSON.parse(await post(socket, operation, body)));
    if ("problem" in answer) throw new Problem(answer.problem);
    return answer.results;
  };
  return {
    query: (sql) => call("query", sql),
    putManagedKeys: async (text) => {
      await call("put_managed_keys", text);
    },
    runCron: async (cron) => {
      await call("run_cron", cron);
    },
  };
}

function post(socketPath: string, operation: Operation, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method: "POST", path: `/${operation}`, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
        answer.on("error", reject);
      },
    );
    outgoing.on("error", () => {
      reject(new Problem("The local Bindify does not answer any more. Start it again with `npm start`."));
    });
    outgoing.end(body);
  });
}
