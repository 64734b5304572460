import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Public by its range, yet every Azure machine's own metadata and DNS server. */
const AZURE_WIRE_SERVER = '168.63.129.16';

/** Which addresses and ports may be connected to. */
export interface AddressPolicy {
  /** Null when allowed, else why not, without the address. */
  refusal: (address: string, port: number) => { code: 'url_not_allowed' | 'blocked_address'; message: string } | null;
}

/** Throws on a CIDR that is none. */
export function addressPolicy(allowCidrs: readonly string[], allowPorts: readonly number[]): AddressPolicy {
  const allowed = allowCidrs.map((cidr) => ipaddr.parseCIDR(cidr));
  const ports = new Set(allowPorts);
  return {
    refusal(address, port) {
      if (isIP(address) === 0) return { code: 'blocked_address', message: 'not an address' };
      const parsed = unmapped(ipaddr.parse(address));
      if (allowed.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits))) return null;
      if (!isPublic(parsed)) return { code: 'blocked_address', message: 'the address is not a public one' };
      if (!ports.has(port)) return { code: 'url_not_allowed', message: `port ${port} is not allowed` };
      return null;
    },
  };
}

type Address = ReturnType<typeof ipaddr.parse>;

/** ::ffff:127.0.0.1 is 127.0.0.1 to the system that connects to it. */
function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.toNormalizedString().startsWith('0:0:0:0:0:ffff:') ? address.toIPv4Address() : address;
}

/**
 * Plain unicast only: no private, shared, link-local, documentation, transition (NAT64, Teredo, 6to4) or reserved
 * range of the IANA registries (RFC 6890), and of IPv6 only what is handed out, 2000::/3.
 */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv6) return (address.parts[0] ?? 0) >> 13 === 0b001;
  return address.toString() !== AZURE_WIRE_SERVER;
}
