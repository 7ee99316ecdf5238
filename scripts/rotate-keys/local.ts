import { createControl } from "../lib/control.ts";
import { Problem } from "../lib/command.ts";
import { requireInstance } from "../lib/instance.ts";
import type { Target } from "./target.ts";

/** The worker that `npm start` runs. */
export async function localTarget(): Promise<Target> {
  const { control: socket, url } = await requireInstance();
  if (socket === null)
    throw new Problem("The local Bindify is of an older version. Stop it and start it again.");
  const control = createControl(socket);
  return {
    name: `local (${url})`,
    interval: 500,
    query: (sql) => control.query(sql),
    putSecret: (text) => control.putManagedKeys(text),
    hurry: () => control.runCron("* * * * *"),
  };
}
