import ipaddr from "ipaddr.js";
import type { Caller } from "../defence/guard.ts";

/**
 * Who sent a request. Only `CF-Connecting-IP` counts, which the platform sets; every forwarding header is the client's
 * own word.
 */
export function callerOf(headers: Headers): Caller {
  const address = headers.get("cf-connecting-ip") ?? "";
  return { address, bucket: bucketOf(address) };
}

/** The address itself for IPv4, its /64 for IPv6: one subscriber has at least that many. */
function bucketOf(text: string): string {
  if (!ipaddr.isValid(text)) return "unknown";
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) return address.toString();
  return address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":");
}
