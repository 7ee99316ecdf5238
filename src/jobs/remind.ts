import type { ReminderCursor, ReminderPage } from "../store/reminders.ts";
import type { Stores } from "../store/index.ts";

const page = 500;
/** Pages of one run: a longer list goes on in the next, whose mails are then the ones that are missing. */
const pages = 200;

interface RemindDeps {
  readonly stores: Pick<Stores, "reminders">;
  /** Undefined where mail is not configured: the page says it then, from the connection itself. */
  readonly mailer: unknown;
}

/** Mail to the owners of grants that only a sign-in brings back. */
export async function remindOfReauth({ stores, mailer }: RemindDeps): Promise<number> {
  if (mailer === undefined) return 0;
  return await eachPage((after) => stores.reminders.reauth(after, page));
}

/** Mail to the owners of connections that nobody signed in to for eleven months. */
export async function remindOfAge({ stores, mailer }: RemindDeps): Promise<number> {
  if (mailer === undefined) return 0;
  return await eachPage((after) => stores.reminders.age(after, page));
}

async function eachPage(read: (after: ReminderCursor | null) => Promise<ReminderPage>): Promise<number> {
  let queued = 0;
  let after: ReminderCursor | null = null;
  for (let at = 0; at < pages; at += 1) {
    const found: ReminderPage = await read(after);
    queued += found.queued;
    if (found.next === null) break;
    after = found.next;
  }
  return queued;
}
