import { second } from "../lib/clock.ts";
import { Deadline } from "../lib/deadline.ts";
import { OutboundError, type Outbound } from "../lib/outbound.ts";

/** Deletes a person at the identity provider; false where that has to be tried again. */
export type DeleteIdentity = (identity: {
  readonly issuer: string;
  readonly subject: string;
}) => Promise<boolean>;

/** Clerk's Backend API, `DELETE /v1/users/{user_id}`; a user that is gone already counts as deleted. */
export function clerkUserDeletion(
  settings: { readonly secretKey: string; readonly issuer: string },
  outbound: Outbound,
): DeleteIdentity {
  return async ({ issuer, subject }) => {
    if (issuer !== settings.issuer) return true;
    const deadline = new Deadline(8 * second);
    try {
      const answer = await outbound(`https://api.clerk.com/v1/users/${encodeURIComponent(subject)}`, {
        method: "DELETE",
        headers: { authorization: `Bearer ${settings.secretKey}`, "user-agent": "bindify" },
        deadline,
      });
      await answer.body?.cancel();
      return answer.ok || answer.status === 404;
    } catch (error) {
      if (error instanceof OutboundError) return false;
      throw error;
    } finally {
      deadline.lift();
    }
  };
}
