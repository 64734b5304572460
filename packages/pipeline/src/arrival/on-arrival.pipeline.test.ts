import { insertMetricDefinition, newId, withTenant } from '@tocsin/db';
import { parseMetricDefinition } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import { describeQueues, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, asTenant, tenantWith, triggersOf } from '../../test/stage.ts';
import { openWholePipeline, type WholePipeline } from '../../test/whole-pipeline.ts';
import { recordDueMetrics } from '../saved-metrics/record-due-metrics.ts';
import { openArrivals } from './open-arrivals.ts';

/** No slot of a schedule falls due while a test runs. */
const EVERY_MS = 86_400_000;
const SECOND = 1_000;
const OPEN_ISSUES = { name: 'board', measure: 'open', aggregation: 'last', window: '5m', operator: '>', threshold: 5 };
const RULE = { key: 'open', name: 'Issues', evaluate: 'arrival', every: '24h', condition: OPEN_ISSUES, notify: ['hook'] };

describeQueues('rules that are evaluated on arrival', (backend) => {
  let whole: WholePipeline;
  let receiver: WebhookReceiver;
  let tenantId: string;
  beforeAll(async () => {
    whole = await openWholePipeline(backend);
  });
  afterAll(() => whole.close());
  beforeEach(async () => {
    receiver = await webhookReceiver();
    tenantId = await tenantWith(whole.stage.db, EVERY_MS);
    await whole.addWebhook(tenantId, receiver.url);
  });
  afterEach(async () => {
    await receiver.close();
    await whole.stage.clear();
  });

  const rule = (more: object = {}, owner = tenantId): Promise<string> => addRule(whole.stage.db, owner, { ...RULE, ...more });
  const post = async (open: number, more: object = {}, store: EventStore = whole.store): Promise<void> => {
    expect(await store.ingest(tenantId, [{ name: 'board', measures: { open }, ...more }])).toMatchObject({ accepted: 1 });
  };
  interface Row {
    kind: string;
    slotMs: number;
    status: string;
    rules: number | null;
    ruleIds: string[];
  }
  const runs = (owner = tenantId): Promise<Row[]> =>
    asTenant(
      whole.stage.db,
      owner,
      (sql) => sql<Row[]>`select kind, slot_at as "slotMs", status, rules, rule_ids as "ruleIds" from runs order by slot_at`,
    );
  /** Until every run has ended; answers them. */
  const ended = (atLeast: number): Promise<Row[]> =>
    vi.waitFor(
      async () => {
        const found = await runs();
        expect(found.length).toBeGreaterThanOrEqual(atLeast);
        expect(found.map(({ status }) => status)).not.toEqual(expect.arrayContaining([expect.stringMatching('queued|running')]));
        return found;
      },
      { timeout: 45_000, interval: 20 },
    );
  const fired = (): Promise<void> =>
    vi.waitFor(async () => expect(await triggersOf(whole.stage.db, tenantId)).toMatchObject([{ kind: 'fired' }]), {
      timeout: 45_000,
      interval: 10,
    });
  const areApart = (found: readonly Row[]): void => {
    for (const [index, { slotMs }] of found.entries()) {
      if (index > 0) expect(slotMs - found[index - 1]!.slotMs).toBeGreaterThanOrEqual(SECOND);
    }
  };

  test('a value that is posted is told, without any slot of the schedule', async () => {
    const ruleId = await rule();
    await post(6);
    const { body } = await receiver.next();
    expect(JSON.parse(body)).toMatchObject({ type: 'alert.fired', data: { alert: { value: 6 } } });
    expect(await ended(1)).toMatchObject([{ kind: 'arrival', rules: 1, ruleIds: [ruleId] }]);
  });

  test('ten posts at once make two runs, or one more a second that they take, a second apart, and the last post is seen', async () => {
    await rule({ condition: { ...OPEN_ISSUES, threshold: 9 } });
    const startedMs = Date.now();
    for (let open = 1; open <= 10; open += 1) await post(open);
    await fired();
    // until what the last post brought about had begun
    const tookMs = Date.now() - startedMs;
    const found = await ended(1);
    areApart(found);
    expect(found.length).toBeLessThanOrEqual(2 + Math.floor(tookMs / SECOND));
  });

  test('a flood through several processes makes one run a second, of which the last sees everything', async () => {
    const ruleId = await rule({ condition: { name: 'board', aggregation: 'count', window: '5m', operator: '>', threshold: 1e9 } });
    const stores = [whole.store, whole.anotherStore()];
    const untilMs = Date.now() + 2 * SECOND;
    let sent = 0;
    while (Date.now() < untilMs) {
      await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, () => post(1, {}, store))));
      sent += 20;
    }
    expect(sent).toBeGreaterThan(50);
    await vi.waitFor(async () => expect((await whole.history(tenantId, ruleId)).at(-1)).toMatchObject({ value: sent }), {
      timeout: 45_000,
      interval: 50,
    });
    const found = (await ended(3)).filter(({ status }) => status !== 'skipped');
    areApart(found);
  });

  test('rules over other names, rules of the schedule and other tenants are left alone', async () => {
    const all = await rule({ key: 'all', condition: { window: '5m', operator: '>', threshold: 1e9 } });
    const mine = await rule();
    await rule({ key: 'else', condition: { ...OPEN_ISSUES, name: 'elsewhere' } });
    await rule({ key: 'scheduled', evaluate: 'schedule' });
    await addRule(whole.stage.db, tenantId, { ...RULE, key: 'off', evaluate: 'arrival' });
    await asTenant(whole.stage.db, tenantId, (sql) => sql`update rules set enabled = false where key = 'off'`);
    const other = await tenantWith(whole.stage.db, EVERY_MS);
    await rule({}, other);
    await post(1);
    const [run] = await ended(1);
    expect(run).toMatchObject({ rules: 2 });
    expect(run!.ruleIds.toSorted()).toEqual([all, mine].toSorted());
    expect(await runs(other)).toEqual([]);
  });

  test('an event of a sender whose clock is ahead by less than a second is seen as soon as its time has come', async () => {
    await rule();
    await post(6, { ts: whole.now() + 400 });
    await fired();
    expect(await ended(1)).toHaveLength(1);
  });

  test('readings of saved metrics arrive as well', async () => {
    const parsed = parseMetricDefinition({
      key: 'open-issues',
      name: 'Open',
      query: { measure: 'open', aggregation: 'max', window: '5m' },
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    await withTenant(whole.stage.db, tenantId, (tx) =>
      insertMetricDefinition(tx, { ...parsed.definition, tenantId, id: newId(), enabled: true, actor: 'test' }),
    );
    const condition = { metric: 'open-issues', window: '5m', operator: '>', threshold: 5 };
    await addRule(whole.stage.db, tenantId, { ...RULE, condition }, new Map([['open-issues', { unit: null }]]));
    await rule({ key: 'all', condition: { window: '5m', operator: '>', threshold: 1e9 } });
    const arrivals = openArrivals(whole.stage.deps);
    whole.stage.source.answer = () => 6;
    whole.stage.db.clock.shiftMs += 60_000;
    await recordDueMetrics({ ...whole.stage.deps, onLanded: arrivals.landed }, new AbortController().signal);
    await fired();
    await arrivals.close();
    expect(await ended(1)).toMatchObject([{ kind: 'arrival', rules: 1 }]);
  });
});
