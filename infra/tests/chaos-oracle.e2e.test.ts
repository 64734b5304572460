import { setTimeout as sleep } from 'node:timers/promises';
import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { checkPromises, type Evidence } from '../chaos/check-promises.ts';
import { runStorm } from '../chaos/storm.ts';

/** What a broken promise would leave behind, and what is to be said of it. */
const IN_ROWS: readonly [what: string, sql: string, said: RegExp][] = [
  ['a slot is missing', `delete from runs where slot_at = (select slot_at from runs order by slot_at offset 5 limit 1)`, /after the slot/],
  ['a run never ended', `update runs set status = 'queued' where slot_at = (select max(slot_at) from runs)`, /is queued/],
  [
    'a lease was left',
    `update deliveries set lease_token = id where id = (select min(id::text)::uuid from deliveries)`,
    /1 deliveries are leased/,
  ],
  [
    'a trigger is missing',
    `delete from triggers where id = (select min(id::text)::uuid from triggers where kind = 'resolved')`,
    /expected fired,resolved/,
  ],
  [
    'a trigger was doubled',
    `insert into triggers select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'seq', 99))).* from triggers t limit 1`,
    /two triggers at/,
  ],
  [
    'a delivery is missing',
    `delete from deliveries where id = (select min(id::text)::uuid from deliveries where channel_key = 'steady')`,
    /to steady is nowhere/,
  ],
  [
    'a delivery never ended',
    `update deliveries set status = 'retrying' where id = (select min(id::text)::uuid from deliveries where channel_key = 'moody')`,
    /to moody is retrying/,
  ],
  [
    'another body was sent',
    `update deliveries set body = '{}' where id = (select min(id::text)::uuid from deliveries where channel_key = 'steady')`,
    /never arrived, or with another body/,
  ],
  [
    'a committed slot has no history',
    `insert into runs (tenant_id, slot_at, id, status, rules) select tenant_id, max(slot_at) + interval '1 s', gen_random_uuid(), 'done', 2 from runs group by tenant_id`,
    /no history of/,
  ],
  [
    'a slot of the history was not committed',
    `update runs set status = 'failed' where slot_at in (select max(slot_at) from runs where rules = 2)`,
    /never committed/,
  ],
];

test('whatever breaks a promise is seen', { timeout: 120_000 }, async () => {
  const seen: string[] = [];
  const report = await runStorm({
    queues: 'postgres',
    seed: 1,
    tenants: 1,
    counts: { api: 1, scheduler: 1, evaluator: 1, dispatcher: 1 },
    trouble: () => sleep(4_000),
    examine: async (evidence) => {
      for (const [what, statement, said] of IN_ROWS) {
        const broken = await checkAfter(evidence, statement);
        expect(broken.join('\n'), what).toMatch(said);
        seen.push(what);
      }
      const lost = { ...evidence.ingest, acknowledged: () => ({ count: 1, sum: 1 }) };
      expect((await checkPromises({ ...evidence, ingest: lost })).join()).toMatch(/acknowledged 1 \(sum 1\), found/);
      const messages = evidence.receivers.messages;
      for (const [change, said] of [
        [messages.map((message) => ({ ...message, tenant: 'other' })), /came to other/],
        [[...messages, { ...messages[0]!, body: '{}' }], /two bodies/],
        [messages.toReversed(), /before it had fired/],
        [messages.slice(1), /never arrived/],
      ] as const) {
        const broken = await checkPromises({ ...evidence, receivers: { ...evidence.receivers, messages: change } });
        expect(broken.join('\n')).toMatch(said);
      }
    },
  });
  expect(report.broken).toEqual([]);
  expect(seen).toHaveLength(IN_ROWS.length);
});

/** What the promises say once this has happened; it is undone then. */
async function checkAfter(evidence: Evidence, statement: string): Promise<string[]> {
  let broken: string[] = [];
  await evidence.sql
    .begin(async (sql) => {
      await sql.unsafe(`set local session_replication_role = replica`);
      const { count } = await sql.unsafe(statement);
      if (count === 0) throw new Error(`nothing was changed by: ${statement}`);
      broken = await checkPromises({ ...evidence, sql: sql as unknown as postgres.Sql });
      throw new Undone();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error;
    });
  return broken;
}

class Undone extends Error {}
