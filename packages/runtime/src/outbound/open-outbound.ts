import type { Socket } from 'node:net';
import { CONNECTION_HEADERS } from '@tocsin/domain';
import { Agent, type Dispatcher, request as undiciRequest } from 'undici';
import { addressPolicy, type AddressPolicy } from './address-policy.ts';
import { connectSocket, socketTarget, type SocketTarget } from './connect-socket.ts';
import { type Resolve, guardedConnector, resolveChecked } from './guarded-connector.ts';
import { OutboundError, toOutboundError } from './outbound-error.ts';
import { knownAddress, parseTarget, type Target } from './parse-target.ts';
import { readCapped } from './read-capped.ts';
import { openResolver } from './resolver.ts';

export interface OutboundRequest {
  url: string;
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** From the call to the end of the body; at most, and by default, 30 s. */
  timeoutMs?: number;
  /** The rest of a longer body is left unread; at most, and by default, 64 KiB. */
  maxResponseBytes?: number;
}

export interface OutboundResponse {
  /** 200–299 or 400–599: a redirect is an error here. */
  status: number;
  /** Names in lower case; several of one name joined by `, `. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** The body was longer and has been cut. */
  truncated: boolean;
}

export type UrlVerdict = { ok: true } | { ok: false; code: 'url_not_allowed' | 'blocked_address'; message: string };

/** The one way out. Everything sent to an address that a tenant chose goes through it. */
export interface Outbound {
  /** Rejects with OutboundError and nothing else. Follows no redirect, keeps no cookie, sends nothing twice. */
  request: (request: OutboundRequest, signal?: AbortSignal) => Promise<OutboundResponse>;
  /** The same door for libraries that want `fetch`; understands a string or URL with method, headers, a text body and a signal. */
  fetch: typeof globalThis.fetch;
  /**
   * The same door for what is not HTTP: a connected socket, whose TLS and deadline are the caller's. On public addresses the ports are those of
   * mail submission. `isOurs`: the operator named the host, so it may be anywhere. Rejects with OutboundError; the caller ends the socket.
   */
  connect: (to: SocketTarget, options?: { signal?: AbortSignal; isOurs?: boolean }) => Promise<Socket>;
  /** As `checkUrl`, of a host to connect to. */
  checkHost: (to: SocketTarget) => Promise<UrlVerdict>;
  /** For when a URL is saved. A name that does not resolve just now passes: it is judged again at every connection. */
  checkUrl: (url: string) => Promise<UrlVerdict>;
  close: () => Promise<void>;
}

export interface OutboundOptions {
  allowHttp: boolean;
  /** Networks that are allowed although not public; on any port. */
  allowCidrs: readonly string[];
  /** Ports on public addresses; default 80, 443, 8443. */
  allowPorts?: readonly number[];
  resolve?: Resolve;
  limits?: Partial<OutboundLimits>;
}

export interface OutboundLimits {
  /** To a connection, TLS included. */
  connectMs: number;
  /** From the request to its answer's headers, and between two pieces of its body. */
  headersMs: number;
  totalMs: number;
  maxResponseBytes: number;
}

const LIMITS: OutboundLimits = { connectMs: 5_000, headersMs: 10_000, totalMs: 30_000, maxResponseBytes: 65_536 };
const RESOLVE_MS = 3_000;
const MAX_HEADER_BYTES = 16_384;
const ALLOWED_PORTS = [80, 443, 8_443];
/** Submission with and without TLS from the start (RFC 8314), and the spare one of many providers. Never 25: we are nobody's relay. */
const SOCKET_PORTS = [465, 587, 2_525];

export function openOutbound(options: OutboundOptions): Outbound {
  const { allowHttp, allowCidrs, allowPorts = ALLOWED_PORTS, resolve = openResolver() } = options;
  const limits = { ...LIMITS, ...options.limits };
  const policy = addressPolicy(allowCidrs, allowPorts);
  const socketPolicy = addressPolicy(allowCidrs, SOCKET_PORTS);
  const agent = new Agent({
    connect: guardedConnector(policy, resolve, limits.connectMs),
    allowH2: false,
    // Of one host, which tenants may share: whoever sends bounds what is under way.
    connections: 512,
    pipelining: 1,
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.headersMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: 10_000,
    keepAliveMaxTimeout: 60_000,
  });

  const send = async (wanted: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> => {
    const { url } = parseTarget(wanted.url, allowHttp);
    const limit = Math.min(wanted.maxResponseBytes ?? limits.maxResponseBytes, limits.maxResponseBytes);
    const answer = await undiciRequest(url, {
      dispatcher: agent,
      method: wanted.method ?? 'POST',
      headers: { ...ownHeadersOnly(wanted.headers ?? {}), 'accept-encoding': 'identity' },
      body: wanted.body ?? null,
      signal,
    });
    const { statusCode: status } = answer;
    if (status >= 300 && status < 400) {
      answer.body.on('error', () => undefined).destroy();
      throw new OutboundError('redirect', `answered ${status}; redirects are not followed`, status);
    }
    const { body, truncated } = await readCapped(answer.body, limit);
    return { status, headers: joined(answer.headers), body, truncated };
  };

  const request: Outbound['request'] = async (wanted, signal) => {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), Math.min(wanted.timeoutMs ?? limits.totalMs, limits.totalMs));
    const give = (): void => deadline.abort();
    signal?.addEventListener('abort', give, { once: true });
    if (signal?.aborted === true) give();
    try {
      return await send(wanted, deadline.signal);
    } catch (error) {
      if (signal?.aborted === true) throw new OutboundError('aborted', 'the request was given up');
      if (deadline.signal.aborted) throw new OutboundError('timeout', 'no complete answer in time');
      throw toOutboundError(error);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', give);
    }
  };

  const checked = async (by: AddressPolicy, read: () => Pick<Target, 'hostname' | 'port'>): Promise<UrlVerdict> => {
    try {
      const { hostname, port } = read();
      const known = knownAddress(hostname);
      await resolveChecked(hostname, port, by, known === null ? (name) => inTime(resolve(name), RESOLVE_MS) : async () => [known]);
      return { ok: true };
    } catch (error) {
      if (error instanceof OutboundError && (error.code === 'url_not_allowed' || error.code === 'blocked_address')) {
        return { ok: false, code: error.code, message: error.message };
      }
      return { ok: true };
    }
  };

  return {
    request,
    fetch: async (input, init = {}) => {
      const signal = init.signal ?? undefined;
      const answer = await request(fromFetch(input, init), signal);
      const empty = answer.status === 204 || answer.status === 205;
      return new Response(empty ? null : answer.body, { status: answer.status, headers: { ...answer.headers } });
    },
    connect: (to, { signal, isOurs = false } = {}) =>
      connectSocket(to, isOurs ? null : socketPolicy, { resolve, timeoutMs: limits.connectMs, signal }),
    checkUrl: (url) => checked(policy, () => parseTarget(url, allowHttp)),
    checkHost: (to) => checked(socketPolicy, () => socketTarget(to)),
    close: () => agent.destroy(),
  };
}

function ownHeadersOnly(headers: Readonly<Record<string, string>>): Record<string, string> {
  for (const name of Object.keys(headers)) {
    if (CONNECTION_HEADERS.has(name.toLowerCase()))
      throw new OutboundError('invalid_request', `the header ${name.toLowerCase()} cannot be set`);
  }
  return { ...headers };
}

function joined(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}

function fromFetch(input: string | URL | Request, init: RequestInit): OutboundRequest {
  const method = (init.method ?? 'GET').toUpperCase();
  const { body } = init;
  if (input instanceof Request || !isMethod(method) || (body != null && typeof body !== 'string')) {
    throw new OutboundError('invalid_request', 'a kind of fetch this door does not offer');
  }
  return {
    url: String(input),
    method,
    headers: Object.fromEntries(new Headers(init.headers)),
    ...(body == null ? {} : { body }),
  };
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const isMethod = (text: string): text is (typeof METHODS)[number] => METHODS.some((method) => method === text);

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new OutboundError('dns', 'the name did not resolve in time')), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
