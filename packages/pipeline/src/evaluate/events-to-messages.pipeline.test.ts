import { compileRule, hoursNeededBy, parseRule } from '@tocsin/domain';
import { describeQueues, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, asTenant, tenantWith, triggersOf } from '../../test/stage.ts';
import { openWholePipeline, type WholePipeline } from '../../test/whole-pipeline.ts';

const MINUTE = 60_000;
/** All that a rule needs to say; everything else is its default. */
const DEFAULT_RULE = { condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 }, cooldown: undefined };

describeQueues('from events to messages', (backend) => {
  let whole: WholePipeline;
  let receiver: WebhookReceiver;
  let tenantId: string;
  beforeAll(async () => {
    whole = await openWholePipeline(backend);
  });
  afterAll(() => whole.close());
  beforeEach(async () => {
    receiver = await webhookReceiver();
    tenantId = await tenantWith(whole.stage.db, MINUTE);
    await whole.addWebhook(tenantId, receiver.url);
  });
  afterEach(async () => {
    await receiver.close();
    await whole.stage.clear();
  });

  const rule = (more: object = {}): Promise<string> =>
    addRule(whole.stage.db, tenantId, { ...DEFAULT_RULE, notify: [{ channel: 'hook' }], ...more });
  const call = (durationMs: number, ts: number, dims: Record<string, string> = {}) => ({
    ts,
    name: 'call',
    dims,
    measures: { duration_ms: durationMs },
  });
  /** Calls that lie in the window of whatever slot comes next. */
  const send = async (...durations: number[]): Promise<number> => {
    const ts = whole.now() - 15_000;
    expect(
      await whole.store.ingest(
        tenantId,
        durations.map((duration) => call(duration, ts)),
      ),
    ).toMatchObject({ rejected: [] });
    return ts;
  };
  const outcomes = async (ruleId: string) => (await whole.history(tenantId, ruleId)).map(({ outcome, reason }) => [outcome, reason]);
  const types = (): string[] => receiver.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  const told = (...expected: string[]): Promise<void> =>
    vi.waitFor(() => expect(types()).toEqual(expected), { timeout: 45_000, interval: 10 });
  const deliveries = () => asTenant(whole.stage.db, tenantId, (sql) => sql<{ status: string }[]>`select status from deliveries`);

  test('a rule over a day neither fires nor resolves while its hours are prepared, and fires at the slot after', async () => {
    const condition = { metric: 'latency', aggregation: 'sum', window: '1d', operator: '>', threshold: 1_000 };
    const ruleId = await rule({ condition });
    await whole.store.ingest(tenantId, [call(600, whole.now() - 20 * 60 * MINUTE)]);
    await send(600);
    await whole.nextSlot(tenantId, MINUTE);
    expect(await outcomes(ruleId)).toEqual([['warming', 'warming']]);
    const spec = parseRule({ ...DEFAULT_RULE, name: 'R', condition });
    if (!spec.ok) throw new Error('no rule');
    const needs = hoursNeededBy(compileRule(spec.spec));
    expect(await whole.store.prepare(tenantId, needs, new AbortController().signal)).toMatchObject({ missing: 0 });
    await whole.nextSlot(tenantId);
    await told('alert.fired');
    expect((await outcomes(ruleId)).at(-1)).toEqual(['fired', 'fired']);
  });

  test('one slow call over a default rule is told within a minute and a slot, its repetition inside the cooldown is recorded alone, one at its end is told', async () => {
    const ruleId = await rule();
    const sentMs = await send(2_000);
    let firedMs = 0;
    do firedMs = await whole.nextSlot(tenantId);
    while ((await triggersOf(whole.stage.db, tenantId)).length === 0 && firedMs < sentMs + 10 * MINUTE);
    expect(firedMs - sentMs).toBeLessThanOrEqual(2 * MINUTE);
    await told('alert.fired');

    await whole.nextSlot(tenantId, 6 * MINUTE);
    await send(10);
    await whole.nextSlot(tenantId);
    await told('alert.fired', 'alert.resolved');

    await whole.nextSlot(tenantId, firedMs + 58 * MINUTE - whole.now());
    await send(2_000);
    expect(await whole.nextSlot(tenantId)).toBe(firedMs + 59 * MINUTE);
    expect((await whole.history(tenantId, ruleId)).at(-1)).toMatchObject({
      outcome: 'suppressed',
      reason: 'cooldown',
      triggered: true,
      value: 2_000,
    });
    expect(await triggersOf(whole.stage.db, tenantId)).toHaveLength(2);
    expect(await deliveries()).toHaveLength(2);

    expect(await whole.nextSlot(tenantId)).toBe(firedMs + 60 * MINUTE);
    expect((await outcomes(ruleId)).at(-1)).toEqual(['fired', 'fired']);
    await told('alert.fired', 'alert.resolved', 'alert.fired');
    await vi.waitFor(async () => expect((await deliveries()).map(({ status }) => status)).toEqual(['delivered', 'delivered', 'delivered']));

    const messages = receiver.requests.map(({ body }) => JSON.parse(body) as Message);
    const [first, end, second] = messages.map(({ data }) => data.alert);
    expect(first).toMatchObject({ metric: 'latency', aggregation: 'p95', value: 2_000, threshold: 1_000, samples: 1 });
    expect(end).toMatchObject({ id: first?.id, status: 'resolved' });
    expect(second?.id).not.toBe(first?.id);
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  });

  test('a gap of data ends nothing where it is kept, is told where it is to be, and is fine where it is ok', async () => {
    const keep = await rule({ key: 'keep', cooldown: '0s' });
    const alert = await rule({ key: 'alert', noData: 'alert', condition: { ...DEFAULT_RULE.condition, threshold: 10_000 } });
    const ok = await rule({ key: 'ok', noData: 'ok', cooldown: '0s' });
    await send(2_000);
    await whole.nextSlot(tenantId);
    await told('alert.fired', 'alert.fired');
    await whole.nextSlot(tenantId, 6 * MINUTE);
    await whole.nextSlot(tenantId);
    await send(10);
    await whole.nextSlot(tenantId);

    const tails = await Promise.all([keep, alert, ok].map(async (id) => (await outcomes(id)).slice(-3)));
    expect(tails).toEqual([
      [
        ['no_data', 'no_data_kept'],
        ['no_data', 'no_data_kept'],
        ['resolved', 'resolved'],
      ],
      [
        ['fired', 'no_data_alert'],
        ['no_data', 'no_data_alert'],
        ['resolved', 'resolved'],
      ],
      [
        ['resolved', 'no_data_ok'],
        ['no_data', 'no_data_ok'],
        ['clear', 'clear'],
      ],
    ]);
    const kindsOf = async (ruleId: string) =>
      (
        await asTenant(
          whole.stage.db,
          tenantId,
          (sql) => sql<{ kind: string }[]>`select kind from triggers where rule_id = ${ruleId} order by slot_at, id`,
        )
      ).map(({ kind }) => kind);
    expect(await kindsOf(keep)).toEqual(['fired', 'resolved']);
    expect(await kindsOf(alert)).toEqual(['no_data', 'resolved']);
    expect(await kindsOf(ok)).toEqual(['fired', 'resolved']);
  });

  test('late events change what history shows, not what was decided; those that still lie in a window count in the next slot', async () => {
    const ruleId = await rule({ cooldown: '0s' });
    await send(100);
    const slotMs = await whole.nextSlot(tenantId);
    const [seenThen] = await whole.history(tenantId, ruleId);
    expect(seenThen).toMatchObject({ outcome: 'clear', value: 100, samples: 1 });

    const firstOfWindow = slotMs - 10_000 - 5 * MINUTE;
    await whole.store.ingest(tenantId, [call(9_000, firstOfWindow)]);
    await whole.nextSlot(tenantId);
    expect((await whole.history(tenantId, ruleId)).map(({ value }) => value)).toEqual([100, 100]);
    expect((await whole.history(tenantId, ruleId))[0]).toEqual(seenThen);
    const query = {
      name: null,
      subject: { kind: 'measure', measures: ['duration_ms'], orSumOf: [] },
      aggregation: 'max',
      filters: [],
      groupBy: [],
      windowMs: 5 * MINUTE,
      ratePerMs: MINUTE,
    } as const;
    const range = { fromMs: slotMs - 10_000 - MINUTE, toMs: slotMs - 10_000, stepMs: MINUTE };
    const { series } = await whole.store.queryRange(tenantId, query, range, AbortSignal.timeout(10_000));
    expect(series[0]?.points.at(-1)).toMatchObject({ value: 9_000, samples: 2 });
    expect(await triggersOf(whole.stage.db, tenantId)).toEqual([]);

    await whole.store.ingest(tenantId, [call(9_000, slotMs - 10_000)]);
    await whole.nextSlot(tenantId);
    expect((await outcomes(ruleId)).at(-1)).toEqual(['fired', 'fired']);
    await told('alert.fired');
  });

  test('a count that is too large already does not wait for late events, and is on record with the window that decided', async () => {
    const many = { condition: { aggregation: 'count', window: '5m', operator: '>', threshold: 2 }, evaluationDelay: '5m' };
    const early = await rule({ key: 'many', ...many });
    const grouped = await rule({ key: 'many-each', ...many, groupBy: ['model'], notify: [] });
    const waits = await rule({ key: 'few', ...many, condition: { all: [many.condition, { not: { ...many.condition, operator: '<' } }] } });
    await send(1, 1, 1);
    const slotMs = await whole.nextSlot(tenantId);
    await told('alert.fired');
    expect((await whole.history(tenantId, early)).at(-1)).toMatchObject({ outcome: 'fired', value: 3, windowToMs: slotMs });
    expect((await whole.history(tenantId, grouped)).at(-1)).toMatchObject({ outcome: 'fired', value: 3, windowToMs: slotMs });
    expect((await whole.history(tenantId, waits)).at(-1)).toMatchObject({ outcome: 'clear', value: 0, windowToMs: slotMs - 5 * MINUTE });
    await whole.nextSlot(tenantId, 5 * MINUTE);
    expect((await outcomes(early)).at(-1)).toEqual(['breach', 'still_firing']);
  });
});

interface Message {
  type: string;
  data: { alert: { id: string } & Record<string, unknown> };
}
