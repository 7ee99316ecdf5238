import ipaddr from "ipaddr.js";

/**
 * The bucket that an address shares: itself for IPv4, its /64 for IPv6 (one subscriber has at least that many).
 * Only `CF-Connecting-IP` counts, which the platform sets; every forwarding header is the client's own word.
 */
export function addressBucket(headers: Headers): string {
  const text = headers.get("cf-connecting-ip") ?? "";
  if (!ipaddr.isValid(text)) return "unknown";
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) return address.toString();
  return address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":");
}
