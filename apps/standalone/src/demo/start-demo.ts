import type { Clock } from '@tocsin/domain';
import type { Logger, ShutdownStack } from '@tocsin/runtime';
import { DEMO_CHANNEL, DEMO_RULES } from './demo-rules.ts';
import type { DemoState } from './demo-routes.ts';
import { dayOfHistory } from './history.ts';
import { callsPerMinute, type ShopEvent, shopEvent } from './shop.ts';

export interface DemoOptions {
  url: string;
  apiKey: string;
  state: DemoState;
  clock: Clock;
  logger: Logger;
  stack: ShutdownStack;
}

const TICK_MS = 1_000;

/** Opens the shop: a day of its past, its rules, and from now on a few calls a second, all through the public API. */
export async function startDemo(options: DemoOptions): Promise<void> {
  const { url, clock, stack } = options;
  for (const { idempotencyKey, events } of dayOfHistory(clock.now())) await postEvents(options, events, idempotencyKey);
  await ask(options, 'POST', '/api/v1/channels', { ...DEMO_CHANNEL, config: { url: `${url}/api/v1/demo/echo` } }, {}, [409]);
  for (const rule of DEMO_RULES) await ask(options, 'PUT', `/api/v1/rules/by-key/${rule.key}`, rule);

  const closing = new AbortController();
  const open = serveCustomers(options, closing.signal);
  stack.defer('demo shop', async () => {
    closing.abort();
    await open;
  });
}

async function serveCustomers(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, state } = options;
  let owed = 0;
  let fromMs = clock.now();
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal);
    const toMs = clock.now();
    // A laptop that slept owes its customers nothing.
    const tickMs = Math.min(toMs - fromMs, 10 * TICK_MS);
    fromMs = toMs;
    owed += (callsPerMinute(toMs) * tickMs) / 60_000;
    const calls = Math.floor(owed);
    owed -= calls;
    const events = Array.from({ length: calls }, (_, call) =>
      shopEvent(toMs - Math.floor((call * tickMs) / calls), { isBroken: state.isBroken, random: Math.random }),
    );
    if (events.length === 0) continue;
    await postEvents(options, events).catch((error: unknown) => {
      if (!signal.aborted) logger.warn({ err: error }, 'the demo shop could not send its events');
    });
  }
}

const postEvents = (options: DemoOptions, events: ShopEvent[], idempotencyKey?: string): Promise<void> =>
  ask(options, 'POST', '/api/v1/events', { events }, idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey });

async function ask(
  { url, apiKey }: DemoOptions,
  method: 'POST' | 'PUT',
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
  alsoFine: readonly number[] = [],
): Promise<void> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok && !alsoFine.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${text}`);
}
