import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { createOutbound, OutboundError, type Outbound } from "../../src/lib/outbound.ts";
import { createZohoDesk, type Desk, type ZohoDesk } from "../../src/support/zoho-desk.ts";
import type { Canned, Received, Routes } from "./canned.ts";
import { zohoTicket, zohoToken } from "./zoho.ts";

export interface HelpDesk {
  readonly desk: Desk;
  /** What Zoho's accounts server answers from now on. */
  token(canned: Canned): Promise<void>;
  /** What the desk answers to tickets from now on. */
  tickets(canned: Canned): Promise<void>;
  /** The requests that reached the accounts server and the desk, oldest first. */
  signIns(): Promise<readonly Received[]>;
  filed(): Promise<readonly Received[]>;
}

export const zohoSettings: ZohoDesk = {
  orgId: "60001",
  departmentId: "7000000000001",
  region: "eu",
  clientId: "1000.CLIENT",
  clientSecret: "zoho-client-secret-0123456789",
  refreshToken: "1000.zoho-refresh-token-0123456789",
};

export const goodToken = (text: string, life?: object): Canned => ({ json: zohoToken(text, life) });

/**
 * A desk whose Zoho is a set of routes of the hostile server, below a name of their own. Only the two hosts of the
 * settings' region are let through.
 */
export async function createHelpDesk(
  hostile: string,
  changes: Partial<ZohoDesk> = {},
  clock: Clock = systemClock,
  domain = "zoho.eu",
): Promise<HelpDesk> {
  const own = crypto.randomUUID();
  const loopback = createOutbound({ allowLoopback: true, ownHosts: [] });
  const outbound: Outbound = async (target, request) => {
    const { host, pathname, protocol } = new URL(target);
    if (protocol !== "https:" || ![`accounts.${domain}`, `desk.${domain}`].includes(host)) {
      throw new OutboundError("denied");
    }
    return await loopback(`${hostile}/${own}/${host}${pathname}`, request);
  };
  const teach = async (routes: Routes): Promise<void> => {
    await fetch(`${hostile}/_/routes`, { method: "PUT", body: JSON.stringify(routes) });
  };
  const received = async (path: string): Promise<readonly Received[]> => {
    const answer = await fetch(`${hostile}/_/requests?part=${encodeURIComponent(path)}`);
    return await answer.json<Received[]>();
  };
  const signIn = `/${own}/accounts.${domain}/oauth/v2/token`;
  const file = `/${own}/desk.${domain}/api/v1/tickets`;
  const token = async (canned: Canned): Promise<void> => await teach({ [`POST ${signIn}`]: canned });
  const tickets = async (canned: Canned): Promise<void> => await teach({ [`POST ${file}`]: canned });
  await token(goodToken("1000.zoho-access-token-1"));
  await tickets({ json: zohoTicket });
  return {
    desk: createZohoDesk({ ...zohoSettings, ...changes }, outbound, clock),
    token,
    tickets,
    signIns: async () => await received(signIn),
    filed: async () => await received(file),
  };
}
