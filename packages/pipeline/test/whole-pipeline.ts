import { channelOf, splitSecrets } from '@tocsin/channels';
import { newId, placeOfSecrets } from '@tocsin/db';
import { openEventStore, type EvaluationRow, type EventStore } from '@tocsin/events';
import type { QueueBackend } from '@tocsin/queue';
import { openOutbound, secretBox } from '@tocsin/runtime';
import { expect, vi } from 'vitest';
import { claimDueSlots, openArrivals, startDispatcher, startEvaluator } from '../src/index.ts';
import { asTenant, openStage, runsOf, type Stage } from './stage.ts';

export interface WholePipeline {
  stage: Stage;
  store: EventStore;
  /** A store as another process has it, which has rules evaluated on arrival as the first does. Closed with the rest. */
  anotherStore: () => EventStore;
  /** The database's time, which moves with the clock and with `nextSlot`. */
  now: () => number;
  /** Moves time, then runs the newest slot that is due and answers it. */
  nextSlot: (tenantId: string, afterMs?: number) => Promise<number>;
  /** A webhook channel that leads there; answers its key. */
  addWebhook: (tenantId: string, url: string) => Promise<string>;
  /** Oldest slot first. */
  history: (tenantId: string, ruleId: string) => Promise<EvaluationRow[]>;
  close: () => Promise<void>;
}

/** The real event store, an evaluator and a dispatcher at work; only the schedule is the test's to move. */
export async function openWholePipeline(backend: QueueBackend): Promise<WholePipeline> {
  const stage = await openStage(backend);
  const { db } = stage;
  const now = (): number => Date.now() + db.clock.shiftMs;
  const opened: (() => Promise<void>)[] = [];
  const anotherStore = (): EventStore => {
    const arrivals = openArrivals(stage.deps);
    const another = openEventStore({ ...stage.deps, clock: { ...stage.deps.clock, now }, onLanded: arrivals.landed });
    opened.push(() => another.close().then(arrivals.close));
    return another;
  };
  const store = anotherStore();
  const box = secretBox('a-secret-key-for-tests-of-32-chars-or-more');
  const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });
  const evaluator = startEvaluator({ ...stage.deps, source: store.source, histories: store });
  const dispatcher = startDispatcher({ ...stage.deps, outbound, secretBox: box, publicUrl: null });
  await Promise.all([evaluator.ready(), dispatcher.ready()]);

  return {
    stage,
    store,
    anotherStore,
    now,
    async nextSlot(tenantId, afterMs = 0) {
      db.clock.shiftMs += afterMs;
      const [schedule] = await asTenant(db, tenantId, (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules`);
      db.clock.shiftMs += Math.max(0, schedule!.next - now() + 50);
      await claimDueSlots(stage.deps);
      return vi.waitFor(
        async () => {
          const runs = (await runsOf(db, tenantId)).filter(({ status }) => status !== 'skipped');
          expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'done'));
          return runs.at(-1)!.slotMs;
        },
        { timeout: 45_000, interval: 10 },
      );
    },
    async addWebhook(tenantId, url) {
      const id = newId();
      const channel = channelOf('webhook')!;
      const { config, secrets } = splitSecrets(channel, channel.config.parse({ url }));
      const sealed = box.seal(JSON.stringify(secrets), placeOfSecrets(tenantId, id));
      await asTenant(
        db,
        tenantId,
        (sql) => sql`
          insert into channels (tenant_id, id, key, name, kind, config, secrets, created_by, updated_by)
          values (${tenantId}, ${id}, 'hook', 'Hook', 'webhook', ${JSON.stringify(config)}::text::jsonb, ${sealed}, 'test', 'test')`,
      );
      return 'hook';
    },
    history: async (tenantId, ruleId) => (await store.readEvaluations(tenantId, ruleId, { limit: 200 })).rows.toReversed(),
    async close() {
      await evaluator.close();
      await dispatcher.close();
      for (const closeStore of opened) await closeStore();
      await outbound.close();
      await stage.close();
    },
  };
}
