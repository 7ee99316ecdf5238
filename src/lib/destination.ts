import ipaddr from "ipaddr.js";

/** Where outgoing requests may go. */
export interface DestinationPolicy {
  /** Local mode only: plain http to a loopback address, any port. */
  readonly allowLoopback: boolean;
  /** Our own hosts (name and port as in `URL.host`): a request to ourselves would loop. */
  readonly ownHosts: readonly string[];
}

export type DestinationVerdict =
  | { readonly ok: true; readonly url: URL }
  /** `shape`: the text itself is at fault, so the person may be told how. */
  | { readonly ok: false; readonly reason: "shape"; readonly message: string }
  /** `denied`: told like an unreachable host, so that answers map no internal network. */
  | { readonly ok: false; readonly reason: "denied" };

const privateSuffixes = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "lan",
  "home.arpa",
  "intranet",
  "private",
  "corp",
  "home",
];
const denied = { ok: false, reason: "denied" } as const;

/**
 * Decides whether a URL that somebody else supplied may be requested. The URL parser has already turned decimal,
 * octal, hexadecimal and full-width hosts into plain addresses (WHATWG URL §3.5), so ranges are all that is left.
 * Names are not resolved here: the platform's `global_fetch_strictly_public` and its egress keep the rest out.
 */
export function checkDestination(text: string, policy: DestinationPolicy): DestinationVerdict {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return shape("This is not a web address. It should look like https://mcp.example.com/mcp");
  }
  if (url.username !== "" || url.password !== "")
    return shape("Leave user name and password out of the address.");
  if (url.hash !== "") return shape("Leave the part after # out of the address.");
  const host = url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (isOwn(url, host, policy)) return denied;
  if (policy.allowLoopback && isLoopback(host) && (url.protocol === "http:" || url.protocol === "https:")) {
    return { ok: true, url };
  }
  if (url.protocol !== "https:") return shape("The address must start with https://");
  if (url.port !== "") return denied;
  return isPublicHost(host) ? { ok: true, url } : denied;
}

export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === "loopback";
}

function isPublicHost(host: string): boolean {
  if (ipaddr.isValid(host)) {
    // `process` unwraps IPv4-mapped IPv6. NAT64, 6to4, Teredo, ULA and link-local have ranges of their own.
    const address = ipaddr.process(host);
    // Of the rest only 2000::/3 is given out (RFC 4291 §2.4); `::127.0.0.1` is no range of its own.
    const assigned = address instanceof ipaddr.IPv4 || (address.parts[0] ?? 0) >> 13 === 1;
    return assigned && address.range() === "unicast";
  }
  const labels = host.split(".");
  if (labels.length < 2 || labels.includes("")) return false;
  return !privateSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
}

function isOwn(url: URL, host: string, policy: DestinationPolicy): boolean {
  return policy.ownHosts.some((own) => {
    const ownName = own.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
    if (isLoopback(ownName)) return isLoopback(host) && url.host.split(":").at(-1) === own.split(":").at(-1);
    return host === ownName || host.endsWith(`.${ownName}`);
  });
}

function shape(message: string): DestinationVerdict {
  return { ok: false, reason: "shape", message };
}
