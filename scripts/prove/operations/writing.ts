import { z } from "zod";
import { accountModes, silencingModes, ticketModes, type TicketMode } from "../desk-double.ts";
import type { Dice } from "../dice.ts";
import type { Allowance } from "../evidence.ts";
import { deskClients, type World } from "../world.ts";
import { anyHeld, Unproven, type Operation } from "./operation.ts";

const nonceSchema = z.object({ nonce: z.string() });

/** Leave to send one message, which is registered before the answer that gives it is judged. */
async function nonceFor(world: World, user: string, origin: string): Promise<string> {
  const allowed: Allowance[] = [];
  const path = `${origin}/api/support/nonce`;
  const { status, text } = await world.api("GET support/nonce", user, path, { allowed });
  if (status !== 200) throw new Unproven(`no message could be begun: ${status}`);
  const { nonce } = nonceSchema.parse(JSON.parse(text));
  world.secrets.note("nonce of a message", nonce, nonce);
  allowed.push({ rule: "the answer that gives a nonce", owner: nonce });
  return nonce;
}

interface Message {
  readonly subject: string;
  readonly message: string;
}

/** The same with a credential in it: whatever the page asks for, people paste what they have. */
function pasted(world: World, dice: Dice, { subject, message }: Message): Message | undefined {
  const credential = anyHeld(world, dice)?.credential;
  if (credential === undefined) return undefined;
  world.noteCredential(credential);
  const quoted = dice.pick([credential.secretUrl, credential.apiKey]);
  return dice.chance(0.2) ? { subject: quoted, message } : { subject, message: `${message} "${quoted}"` };
}

/** What a person writes; the desk is told what its ticket may hold, and what to answer. */
function compose(world: World, user: string, mode: TicketMode | undefined): Message {
  const text = (): string => world.secrets.make("message to the operator", user);
  const subject = text();
  const allowed: Allowance[] = [{ rule: "the ticket at Zoho Desk", owner: user }];
  world.desk.expected.set(subject, { allowed, mode });
  return { subject, message: `${text()}\r\n<b>${text()}</b> & "quoted"` };
}

/** Bodies that are refused, with what belongs to a message in odd places. */
function oddBodies({ subject, message }: Message, nonce: string): readonly string[] {
  const json = JSON.stringify;
  return [
    `{"subject":${json(subject)},"message":${json(message)}`,
    json({ subject: `${subject}\r\nBcc: ${subject}`, message, nonce }),
    json({ subject: subject.repeat(9), message: message.repeat(200), nonce }),
    json({ subject, message: `${message}\u0000`, nonce }),
    json({ subject, message, nonce: message }),
    json({ subject, message, nonce: `${nonce}x` }),
    json({ subject, message, nonce, [message]: subject }),
    json([subject, message, nonce]),
    json(message),
  ];
}

/** A message whose ticket gets this answer, sent to a deployment of this origin. Answers its status. */
async function write(
  world: World,
  dice: Dice,
  { user, origin, mode }: { user: string; origin: string; mode: TicketMode | undefined },
): Promise<number> {
  const send = async (place: string, by: string, body: string) =>
    await world.api(place, by, `${origin}/api/support`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
  const nonce = await nonceFor(world, user, origin);
  await world.storage.collectTable("support_nonces");
  const written = compose(world, user, mode);
  const body = JSON.stringify({ ...written, nonce });
  const unwise = pasted(world, dice, written);
  if (unwise !== undefined)
    await send("POST support with a credential", user, JSON.stringify({ ...unwise, nonce }));
  if (dice.chance(0.5)) {
    await send("POST support of another", "dora", body);
    for (const odd of oddBodies(written, nonce)) await send("POST support that is refused", user, odd);
  }
  const { status } = await send("POST support", user, body);
  await send("POST support again", user, body);
  return status;
}

export const writeToOperator: Operation = {
  name: "write to the operator",
  weight: 3,
  run: async (world, dice) => {
    // Messages of somebody of their own: a person has few in a day.
    const modes = Array.from({ length: dice.below(3) }, () => dice.pick([undefined, ...ticketModes]));
    const user = `${dice.pick(["cl", "sup"])}${dice.text(8)}`;
    for (const mode of [undefined, ...modes]) {
      const status = await write(world, dice, { user, origin: world.instance.url, mode });
      if (mode === undefined && status !== 202) throw new Unproven(`a message was not sent: ${status}`);
    }
  },
};

export const writeToSilentDesk: Operation = {
  name: "write where the help desk refuses the operator",
  weight: 1,
  run: async (world, dice) => {
    // The worker leaves Zoho alone afterwards, for a minute: the twin does, so that messages go on being filed.
    const origin = world.instance.twinUrl;
    if (dice.chance(0.5)) world.desk.accountModes.set(deskClients.twin, [dice.pick(accountModes)]);
    const user = `sup${dice.text(8)}`;
    for (let sent = 0; sent < 3; sent += 1)
      await write(world, dice, { user, origin, mode: dice.pick(silencingModes) });
  },
};
