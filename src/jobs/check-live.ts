import { probeAgain, probeRequest, type ProbeDeps } from "../connect/probe.ts";
import type { Grant } from "../grants/grant.ts";
import { Fault } from "../lib/fault.ts";
import { formatHeader } from "../services/key-mode.ts";
import type { KeyMode, Service } from "../services/service.ts";

/** `unknown`: the service could not be asked, or its answer says nothing of the secret. */
export type Liveness = "works" | "refused" | "unknown";

/**
 * Whether a service still takes a secret that does not end by itself: the question that was asked when it was
 * connected, as cheap as the service allows. The secret goes where it is sealed for, or to the address of its own
 * service's definition.
 */
export async function checkLive(
  grant: Grant,
  service: Service | undefined,
  deps: ProbeDeps,
): Promise<Liveness> {
  const name = service?.name ?? "the service";
  try {
    const validation = grant.kind === "key" ? validationOf(grant.header, service) : undefined;
    if (validation?.kind === "request") {
      const answer = await probeRequest({ validation, secret: grant.secret, service: name }, deps);
      return answer === "accepted" ? "works" : "unknown";
    }
    const secret = { [grant.header.name]: formatHeader(grant.header, grant.secret) };
    const target = { url: grant.url, service: name, headers: { ...grant.extra_headers, ...secret } };
    await probeAgain(target, grant.transport, deps);
    return "works";
  } catch (error) {
    if (error instanceof Fault) return error.code === "key_rejected" ? "refused" : "unknown";
    throw error;
  }
}

/** The check of the key's mode. The grant does not name its mode; where two are alike, the handshake has to do. */
function validationOf(
  header: Grant["header"],
  service: Service | undefined,
): KeyMode["validation"] | undefined {
  const alike = service?.key_modes.filter(
    (mode) => mode.header.name === header.name && mode.header.prefix === header.prefix,
  );
  return alike?.length === 1 ? alike[0]?.validation : undefined;
}
