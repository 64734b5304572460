import { type Event, ListEvents, type Page } from '@tocsin/contracts';
import { invalid } from '../app-error.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';

const HOUR_MS = 3_600_000;
// Events may claim to be a little ahead of our clock.
const AHEAD_MS = 300_000;

/** The newest events of a range, newest first. One page: a longer look is a metric query's. */
export const listEvents = verb('events:read', async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<Page<Event>> => {
  const { name, from, to, limit } = parse(ListEvents, input.query, 'query');
  const toMs = to ?? ctx.clock.now() + AHEAD_MS;
  const fromMs = from ?? toMs - AHEAD_MS - HOUR_MS;
  if (toMs <= fromMs) throw invalid([{ pointer: '?to', code: 'out_of_range', message: 'must be after `from`' }]);
  const events = await ctx.events.recent(ctx.tenantId, { name, fromMs, toMs, limit });
  return { data: events.map(({ tsMs, ...event }) => ({ ts: timeText(tsMs), ...event })), nextCursor: null };
});
