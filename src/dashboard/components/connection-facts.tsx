import type { Child } from "hono/jsx";
import { describeRevocation, describeStorage } from "../format.ts";
import type { Connection, Health } from "../schemas.ts";
import { When } from "./when.tsx";

/** What is known of a connection without opening anything of it. */
export function ConnectionFacts({ connection, health }: { connection: Connection; health: Health }) {
  const gone = connection.status === "disconnected";
  const signedIn = connection.kind === "oauth";
  return (
    <dl class="facts">
      <Fact name="Stored">
        {describeStorage(connection.storage)}
        <span class="hint">
          {connection.storage === "zero_knowledge"
            ? "Opens with your credential only."
            : "This deployment can open it too."}
        </span>
      </Fact>
      <Fact name="Access by">{signedIn ? "Sign-in" : "Key"}</Fact>
      <Fact name="Connected">
        <When iso={connection.created_at} />
      </Fact>
      <Fact name="Last used">
        <When iso={connection.last_used_at} />
      </Fact>
      {signedIn ? (
        <Fact name="Last renewed">
          <When iso={health.last_refreshed_at} />
        </Fact>
      ) : null}
      {signedIn && connection.refreshable === false && health.access_expires_at ? (
        <Fact name="Access ends">
          <When iso={health.access_expires_at} />
        </Fact>
      ) : null}
      {connection.scope ? (
        <Fact name="Granted">
          <code>{connection.scope}</code>
        </Fact>
      ) : null}
      {gone ? <Fact name="Access there">{describeRevocation(connection.revocation)}</Fact> : null}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: Child }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
