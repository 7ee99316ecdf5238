import ipaddr from "ipaddr.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

function rangeOf(text: string): Range | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  // `isValid` takes "192.0.2" for 192.0.0.2, as old programs do; nobody means it.
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

/** Whether `text` is an address or a range such as `192.0.2.0/24` or `2001:db8::/32`. */
export function isAddressRange(text: string): boolean {
  return rangeOf(text) !== undefined;
}

/**
 * Addresses that are never blocked: those of the operator's ranges, this machine's own, which reach only a local
 * deployment, and what is no address, because the platform names one for each request from outside.
 */
export function createAllowList(texts: readonly string[]): (address: string) => boolean {
  const ranges = texts.flatMap((text) => {
    const range = rangeOf(text);
    return range === undefined ? [] : [range];
  });
  return (text) => {
    if (!ipaddr.isValid(text)) return true;
    const address = ipaddr.process(text);
    if (address.range() === "loopback") return true;
    return ranges.some((range) => address.kind() === range[0].kind() && address.match(range));
  };
}
