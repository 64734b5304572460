import { connect, type LookupFunction, type Socket } from 'node:net';
import type { AddressPolicy } from './address-policy.ts';
import { guardedLookup, type Resolve } from './guarded-connector.ts';
import { OutboundError, toOutboundError } from './outbound-error.ts';
import { knownAddress, parseTarget, type Target } from './parse-target.ts';

/** A host by name or address, and a port. */
export interface SocketTarget {
  host: string;
  port: number;
}

/** Everything is allowed: for what the operator named. */
const ANYWHERE: AddressPolicy = { refusal: () => null };

/** Reads a host the way a URL's is read, so that both faces of the door judge the same spellings alike. Throws `url_not_allowed`. */
export function socketTarget({ host, port }: SocketTarget): Pick<Target, 'hostname' | 'port'> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new OutboundError('url_not_allowed', 'not a port');
  if (/[/?#@%]/.test(host)) throw new OutboundError('url_not_allowed', 'not the name of a host');
  const { hostname } = parseTarget(`http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}/`, true);
  return { hostname, port };
}

/**
 * A connection to an address that the policy allows, of those that the name had when it was asked for this connection; null: to any. Rejects
 * with OutboundError. The caller ends the socket.
 */
export async function connectSocket(
  to: SocketTarget,
  policy: AddressPolicy | null,
  { resolve, timeoutMs, signal }: { resolve: Resolve; timeoutMs: number; signal: AbortSignal | undefined },
): Promise<Socket> {
  const { hostname, port } = socketTarget(to);
  const guard = policy ?? ANYWHERE;
  const literal = knownAddress(hostname);
  const refusal = literal === null ? null : guard.refusal(literal, port);
  if (refusal !== null) throw new OutboundError(refusal.code, refusal.message);
  const socket = await connected(literal ?? hostname, port, guardedLookup(guard, resolve, port), timeoutMs, signal);
  const late = guard.refusal(socket.remoteAddress ?? '', port);
  if (late === null) return socket;
  socket.destroy();
  throw new OutboundError(late.code, late.message);
}

function connected(host: string, port: number, lookup: LookupFunction, timeoutMs: number, signal?: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(new OutboundError('aborted', 'the connection was given up'));
    const socket = connect({ host, port, lookup, noDelay: true });
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      socket.removeListener('error', failed);
      end();
    };
    const fail = (error: OutboundError): void =>
      settle(() => {
        socket.on('error', () => undefined).destroy();
        reject(error);
      });
    const giveUp = (): void => fail(new OutboundError('aborted', 'the connection was given up'));
    const failed = (error: Error): void => fail(toOutboundError(error));
    const timer = setTimeout(() => fail(new OutboundError('timeout', 'no connection in time')), timeoutMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.once('error', failed);
    socket.once('connect', () => settle(() => resolve(socket)));
  });
}
