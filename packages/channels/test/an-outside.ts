import type { InboxMessage, LogLine, OutboundAnswer, OutboundCall, Outside } from '../src/index.ts';

type Answer = Partial<OutboundAnswer> | Error;

/** An outside that answers every call the same way and remembers what it was asked. */
export function anOutside(answer: Answer = {}): Outside & { calls: OutboundCall[]; put: InboxMessage[]; logged: LogLine[] } {
  const calls: OutboundCall[] = [];
  const put: InboxMessage[] = [];
  const logged: LogLine[] = [];
  const answered = (call: OutboundCall): OutboundAnswer => {
    calls.push(call);
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: {}, body: '', ...answer };
  };
  return {
    calls,
    put,
    logged,
    signal: new AbortController().signal,
    request: async (call) => answered(call),
    fetch: async (url, init) => {
      if (url instanceof Request || typeof init?.body !== 'string') throw new TypeError('a kind of fetch the door does not offer');
      const headers = Object.fromEntries(new Headers(init.headers));
      const { status, headers: received, body } = answered({ url: url.toString(), method: 'POST', headers, body: init.body });
      return new Response(body === '' ? null : body, { status, headers: received });
    },
    connect: () => Promise.reject(doorError('connect')),
    mailServer: null,
    thread: null,
    log: (line) => {
      logged.push(line);
      return true;
    },
    putInbox: async (message) => void put.push(message),
  };
}

/** An error as the outbound door throws it. */
export function doorError(code: string, status: number | null = null): Error {
  return Object.assign(new Error(`failed: ${code}`), { code, status });
}
