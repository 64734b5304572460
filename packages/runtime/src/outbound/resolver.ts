import { lookup, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { openTurns } from '../turns.ts';
import type { Resolve } from './guarded-connector.ts';
import { OutboundError } from './outbound-error.ts';

interface ResolverOptions {
  /** `address:port` of name servers; default: the machine's. */
  servers?: readonly string[];
  hostsFile?: string;
  /** How the machine itself looks a name up. */
  system?: Resolve;
  /** For the first answer; the second try takes twice as long. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 1_000;
/** The system's look-ups hold a thread each for as long as they take, and a process has four for everything. */
const SYSTEM_AT_ONCE = 2;
/** No such name there, or nobody to ask: the machine may know it in another way (search domains, mDNS). */
const ASK_THE_SYSTEM = new Set(['ENOTFOUND', 'ENODATA', 'ECONNREFUSED', 'EBADNAME']);

const systemLookup: Resolve = async (hostname) => (await lookup(hostname, { all: true, order: 'verbatim' })).map(({ address }) => address);

/**
 * All addresses of a name: of the hosts file, else of DNS, asked over sockets, else as the machine looks it up. A name server that says
 * nothing is anybody's to choose, and holds up nobody else's names. Rejects with OutboundError `dns`, or as the machine's look-up does.
 */
export function openResolver({
  servers,
  hostsFile = '/etc/hosts',
  system = systemLookup,
  timeoutMs = TIMEOUT_MS,
}: ResolverOptions = {}): Resolve {
  const turns = openTurns(SYSTEM_AT_ONCE);
  return async (hostname) => {
    const known = inHosts(await readFile(hostsFile, 'utf8').catch(() => ''), hostname);
    if (known.length > 0) return known;
    const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as NodeJS.ErrnoException] : []));
    const other = failures.find(({ code = '' }) => !ASK_THE_SYSTEM.has(code));
    if (other !== undefined) throw new OutboundError('dns', `the name cannot be resolved (${other.code ?? 'unknown'})`);
    return turns.through(() => system(hostname));
  };
}

function inHosts(text: string, hostname: string): string[] {
  const wanted = hostname.toLowerCase().replace(/\.$/, '');
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((name) => name.toLowerCase() === wanted) ? [address] : [];
  });
}
