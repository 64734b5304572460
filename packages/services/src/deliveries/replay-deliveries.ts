import { type DeliveriesReplayed, ReplayDeliveries } from '@tocsin/contracts';
import { type DrizzleTx, lockDelivery, reopenDelivery, selectDeadDeliveries, withTenant } from '@tocsin/db';
import { RETRY } from '@tocsin/domain';
import { sendHints } from '@tocsin/pipeline';
import { deliver } from '@tocsin/queue';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';

/** Of one call: so many are opened again within seconds, and a receiver that was down is not met by all at once. */
const AT_ONCE = 500;

type Asked = ReturnType<typeof ReplayDeliveries.parse>;
type Refusal = DeliveriesReplayed['refused'][number];

const WHY = {
  not_found: 'there is no such delivery',
  not_dead: 'it is not dead: it has arrived, is under way or was not to be sent',
  channel_missing: 'its channel is deleted',
  channel_disabled: 'its channel is switched off',
  test: 'a test is made anew, with `POST /channels/{id}/test`',
} as const;

/**
 * Sends a set of dead deliveries again, the oldest first, each with its first id and body; after each the end of its alert, if that is over, so that
 * nobody takes it for open. Asked again, it takes the next ones.
 */
export const replayDeliveries = verb(
  'deliveries:retry',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<DeliveriesReplayed> => {
    const asked = parse(ReplayDeliveries, input.body);
    if (asked.dryRun) return (await withTenant(ctx.db, ctx.tenantId, (tx) => replay(ctx, tx, asked))).answer;
    const { answer, opened } = await change(ctx, (tx) => replay(ctx, tx, asked));
    await sendHints(
      ctx,
      deliver,
      opened.map((deliveryId) => ({ tenantId: ctx.tenantId, deliveryId })),
      { evenIfKnown: true },
    );
    return answer;
  },
);

async function replay(ctx: Context, tx: DrizzleTx, asked: Asked): Promise<{ answer: DeliveriesReplayed; opened: string[] }> {
  const { tenantId } = ctx;
  const found = await idsOf(tx, tenantId, asked);
  const ids = found.slice(0, AT_ONCE);
  const [opened, ends, refused]: [string[], Set<string>, Refusal[]] = [[], new Set(), []];
  for (const id of ids) {
    if (ends.has(id)) continue;
    const reason = refusalOf(await lockDelivery(tx, tenantId, id));
    if (reason !== null) refused.push({ id, reason, reasonText: WHY[reason] });
    else {
      const { endId } = asked.dryRun ? { endId: null } : await reopenDelivery(tx, tenantId, id, RETRY.expiresAfterMs);
      opened.push(id);
      if (endId !== null) ends.add(endId);
    }
  }
  if (!asked.dryRun && opened.length > 0) {
    const { ids: _named, dryRun: _dry, from, to, ...set } = asked;
    const times = {
      ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
      ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
    };
    await audit(tx, ctx, 'deliveries.replayed', tenantId, {
      ...set,
      ...times,
      replayed: opened.length,
      ends: ends.size,
      deliveries: opened,
    });
  }
  const more = found.length > AT_ONCE;
  return { answer: { dryRun: asked.dryRun, matched: ids.length, replayed: opened.length, ends: ends.size, refused, more }, opened };
}

/** One more than a call takes, where there are more. */
async function idsOf(tx: DrizzleTx, tenantId: string, { ids, channel, reason, from, to }: Asked): Promise<string[]> {
  if (ids !== undefined) return [...new Set(ids.map((id) => id.toLowerCase()))].toSorted();
  const set = { channelKey: channel ?? null, reason: reason ?? null, fromMs: from ?? null, toMs: to ?? null };
  return selectDeadDeliveries(tx, tenantId, set, AT_ONCE + 1);
}

function refusalOf(found: Awaited<ReturnType<typeof lockDelivery>>): Refusal['reason'] | null {
  if (found === null) return 'not_found';
  if (found.kind === 'test') return 'test';
  if (found.status !== 'dead') return 'not_dead';
  if (found.channelEnabled === null) return 'channel_missing';
  return found.channelEnabled ? null : 'channel_disabled';
}
