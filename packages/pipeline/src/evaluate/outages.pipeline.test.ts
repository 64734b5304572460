import { openDatabase, type Database } from '@tocsin/db';
import type { Consumer } from '@tocsin/queue';
import { describeQueues, tcpProxy, type TcpProxy } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addRule, asTenant, openStage, runsOf, tenantWith, triggersOf, type Stage } from '../../test/stage.ts';
import { runScheduler } from '../schedule/run-scheduler.ts';
import { startEvaluator } from './start-evaluator.ts';

const EVERY_MS = 600_000;
const SLOTS = 3;
const ENDED = ['done', 'late', 'skipped'];

describeQueues('outages', (backend) => {
  let stage: Stage;
  let line: TcpProxy;
  let db: Database;
  beforeAll(async () => {
    stage = await openStage(backend);
    line = await tcpProxy(stage.appUrl);
    db = { ...openDatabase({ url: line.through(stage.appUrl), applicationName: 'cut', maxConnections: 10 }), clock: stage.db.clock };
  });
  afterAll(async () => {
    await db.close();
    await line.close();
    await stage.close();
  });

  test('the line to the database cut again and again, queues wiped, leases run out: every slot ends once, every change is told once', async () => {
    const tenants = await Promise.all(Array.from({ length: 8 }, () => tenantWith(stage.db, EVERY_MS)));
    for (const tenantId of tenants) await addRule(stage.db, tenantId);
    stage.source.answer = () => 500;
    const deps = { ...stage.deps, db };
    const stop = new AbortController();
    const schedulers = [1, 2].map(() => runScheduler(deps, stop.signal));
    const evaluators: Consumer[] = [1, 2, 3].map(() => startEvaluator(deps));

    for (let slot = 0; slot < SLOTS; slot += 1) {
      stage.db.clock.shiftMs += EVERY_MS;
      let cuts = 0;
      // A cut at each read: after the lease is taken and before anything is committed.
      stage.source.before = () => {
        cuts += 1;
        if (cuts % 2 === 1 && cuts < 8) line.cut();
        return Promise.resolve();
      };
      if (slot === 2) await stage.wipeQueues();
      await vi.waitFor(
        async () => {
          // Leases run out and hints fall due again at the pace of the test.
          stage.db.clock.shiftMs += 3_000;
          for (const tenantId of tenants) {
            const runs = await runsOf(stage.db, tenantId);
            expect(runs.length).toBeGreaterThan(slot);
            expect(runs.every((run) => ENDED.includes(run.status))).toBe(true);
          }
        },
        { timeout: 40_000, interval: 100 },
      );
    }
    stop.abort();
    await Promise.all(schedulers);
    for (const evaluator of evaluators) await evaluator.close();

    for (const tenantId of tenants) {
      const runs = await runsOf(stage.db, tenantId);
      const accounted = runs.reduce((slots, run) => slots + (run.skippedCount ?? 1), 0);
      expect(accounted).toBe((runs.at(-1)!.slotMs - runs[0]!.slotMs) / EVERY_MS + 1);
      expect((await triggersOf(stage.db, tenantId)).map((trigger) => `${trigger.seq} ${trigger.kind}`)).toEqual(['1 fired']);
      const alerts = await asTenant(stage.db, tenantId, (sql) => sql`select status from alerts`);
      expect(alerts).toEqual([{ status: 'active' }]);
    }
  }, 120_000);
});
