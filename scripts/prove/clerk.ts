import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { Double } from "./double.ts";
import type { Secrets } from "./secrets.ts";

const host = "clerk.prove.example";
const kid = "clerk";
/** One for all: making it takes a while, and nothing of the worker's depends on it. */
const signing = generateKeyPair("RS256", { extractable: true });

/** Stands for Clerk: signs people in, publishes its key, and answers for its users. */
export interface ClerkDouble extends Double {
  readonly hosts: readonly string[];
  readonly publishableKey: string;
  readonly secretKey: string;
  /** A sign-in token. Without `email` Clerk has to be asked for it. */
  sign(user: string, page: string, email?: string): Promise<string>;
}

/** Whose people they are. */
export const isAtClerk = (user: string): boolean => user.startsWith("cl");
export const emailOf = (user: string): string => `${user}.canary@people.example`;

export function createClerk(secrets: Secrets): ClerkDouble {
  let asked = 0;
  return {
    hosts: [host, "api.clerk.com"],
    publishableKey: `pk_test_${btoa(`${host}$`)}`,
    secretKey: secrets.make("Clerk's secret key", "deployment"),
    takes: (path) => path.startsWith("/v1/users/") || path === "/.well-known/jwks.json",
    async sign(user, page, email) {
      const { privateKey } = await signing;
      const known = email === undefined ? {} : { email, email_verified: true };
      return await new SignJWT({ azp: page, sid: crypto.randomUUID(), ...known })
        .setProtectedHeader({ alg: "RS256", kid })
        .setIssuer(`https://${host}`)
        .setSubject(user)
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(privateKey);
    },
    async answer({ request, response, echo }, collected) {
      const { url = "/" } = request;
      for (const [name, value] of Object.entries(request.headers)) {
        const allowed = name === "authorization" ? ([{ rule: "the request to Clerk" }] as const) : [];
        collected.add("request to a service", `Clerk header ${name}`, String(value), allowed);
      }
      collected.add("request to a service", "Clerk address", url);
      const json = { "content-type": "application/json" };
      if (url.endsWith("/jwks.json")) {
        const { publicKey } = await signing;
        const key = { ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" };
        response.writeHead(200, json).end(JSON.stringify({ keys: [key] }));
        return;
      }
      asked += 1;
      // Now and then it fails, and repeats what it was asked.
      if (asked % 3 === 0) {
        response.writeHead(503, { "content-type": "text/html" }).end(echo);
        return;
      }
      const user = url.slice(url.lastIndexOf("/") + 1);
      const address = { id: "1", email_address: emailOf(user), verification: { status: "verified" } };
      const record = { id: user, primary_email_address_id: "1", email_addresses: [address] };
      response.writeHead(200, json).end(JSON.stringify(request.method === "DELETE" ? { id: user } : record));
    },
  };
}
