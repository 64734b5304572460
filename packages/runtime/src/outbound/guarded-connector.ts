import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import { OutboundError } from './outbound-error.ts';
import { knownAddress } from './parse-target.ts';

/** All addresses of a name. Rejects when there is none. */
export type Resolve = (hostname: string) => Promise<string[]>;

/**
 * Connects only to addresses that the policy allows: those it has just resolved and checked, all of them, with nothing
 * asked again in between. Node asks no `lookup` for a literal address, so literals are checked here.
 */
export function guardedConnector(policy: AddressPolicy, resolve: Resolve, timeoutMs: number): buildConnector.connector {
  const connectors = new Map<number, buildConnector.connector>();
  const connectorFor = (port: number): buildConnector.connector => {
    const known = connectors.get(port);
    if (known !== undefined) return known;
    const made = buildConnector({
      timeout: timeoutMs,
      allowH2: false,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      lookup: guardedLookup(policy, resolve, port),
    });
    connectors.set(port, made);
    return made;
  };
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const literal = knownAddress(options.hostname);
    const refusal = literal === null ? null : policy.refusal(literal, port);
    if (refusal !== null) {
      queueMicrotask(() => callback(new OutboundError(refusal.code, refusal.message), null));
      return;
    }
    connectorFor(port)(options, (...result) => {
      const [error, socket] = result;
      const late = error === null ? policy.refusal(socket.remoteAddress ?? '', port) : null;
      if (error !== null || late === null) return callback(...result);
      socket.destroy();
      callback(new OutboundError(late.code, late.message), null);
    });
  };
}

/** Resolves and checks. A name of which one address is refused is refused whole: it is a trap or a mistake. */
export async function resolveChecked(hostname: string, port: number, policy: AddressPolicy, resolve: Resolve): Promise<string[]> {
  const addresses = await resolve(hostname);
  if (addresses.length === 0) throw new OutboundError('dns', 'the name has no address');
  for (const address of addresses) {
    const refusal = policy.refusal(address, port);
    if (refusal !== null) throw new OutboundError(refusal.code, refusal.message);
  }
  return addresses;
}

/** Answers with addresses that the policy allows, or fails. Node asks it for names alone. */
export function guardedLookup(policy: AddressPolicy, resolve: Resolve, port: number): LookupFunction {
  return (hostname, options, callback) => {
    const known = knownAddress(hostname);
    resolveChecked(hostname, port, policy, known === null ? resolve : async () => [known]).then(
      (addresses) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        if (options.all === true) callback(null, found);
        else callback(null, found[0]?.address ?? '', found[0]?.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error('lookup failed'), []),
    );
  };
}
