import { insertSegments, newId, withTenantsSql } from '@tocsin/db';
import { makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COUNT, countOf, DAY, HOUR, minuteClock, MINUTE, NEVER, openStore } from '../../test/open-store.ts';
import { encodeSegment } from '../codec/codec.ts';
import type { EventStore } from '../index.ts';

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()));
afterAll(() => database.drop());

const clock = minuteClock();
const now = clock.now();

/** A transaction that has stored an event and waits. */
async function pending(tenantId: string, tsMs: number): Promise<{ commit: () => Promise<void> }> {
  let commit!: () => void;
  const told = new Promise<void>((resolve) => (commit = resolve));
  let stored!: () => void;
  const isStored = new Promise<void>((resolve) => (stored = resolve));
  const done = withTenantsSql(database.db, [tenantId], async (sql) => {
    const data = encodeSegment([{ tsMs, name: 'call', dims: {}, measures: {} }], { compact: false });
    await insertSegments(sql, [
      { tenantId, id: newId(), stream: 'events', level: 0, startsAtMs: tsMs, endsAtMs: tsMs + 1, eventCount: 1, data },
    ]);
    stored();
    await told;
  });
  await isStored;
  return {
    commit: async () => {
      commit();
      await done;
    },
  };
}

test('what commits late is found, though others that began after it were read before', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [{ ts: now - 1, name: 'call' }]);
  const late = await pending(tenantId, now - 20 * MINUTE);
  await store.ingest(tenantId, [{ ts: now - 2, name: 'call' }]);
  expect(await countOf(store, tenantId, now, HOUR)).toBe(2);
  await late.commit();
  expect(await countOf(store, tenantId, now, HOUR)).toBe(3);
  expect(await countOf(store, tenantId, now, HOUR)).toBe(3);
});

test('what was there before and begins after the last window is found by the next one', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store = openStore(database.db, { clock });
  await store.ingest(tenantId, [{ ts: now - 5 * MINUTE, name: 'call' }]);
  await store.ingest(tenantId, [{ ts: now - MINUTE, name: 'call' }]);
  expect(await countOf(store, tenantId, now - 3 * MINUTE, HOUR)).toBe(1);
  expect(await countOf(store, tenantId, now, HOUR)).toBe(2);
});

test('segments that were joined, and joined again, between two reads count once', async () => {
  const { tenantId } = await makeTenant(database.db);
  const old = now - 26 * HOUR;
  const [reader, writer] = [openStore(database.db, { clock }), openStore(database.db, { clock })];
  for (let i = 0; i < 3; i++) await writer.ingest(tenantId, [{ ts: old + i * MINUTE, name: 'call' }]);
  expect(await countOf(reader, tenantId, now, 2 * DAY)).toBe(3);
  await writer.compact([tenantId], NEVER);
  await writer.ingest(tenantId, [{ ts: old + 1, name: 'call' }]);
  await writer.compact([tenantId], NEVER);
  expect(await countOf(reader, tenantId, now, 2 * DAY)).toBe(4);
  expect(await countOf(reader, tenantId, now, 2 * DAY)).toBe(4);
});

const minutesBack = fc.integer({ min: 0, max: 12 }).map((steps) => steps * 11);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ingest' as const), back: minutesBack }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('begin' as const), back: minutesBack }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const), which: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), shiftMs: fc.constantFrom(6 * MINUTE, 3 * HOUR, 27 * HOUR) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('read' as const), back: fc.constantFrom(0, 0, 5, 40), hours: fc.constantFrom(0.1, 1, 3) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('readTwice' as const), hours: fc.constantFrom(1, 3) }) },
);

/** Once a store keeps anything, at once and while another read goes on, and with too little room. */
test('a store that has read before answers as one that never did, whatever was stored, joined and dropped meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), fc.constantFrom(1e9, 20_000), async (steps, cacheBytes) => {
      const { tenantId } = await makeTenant(database.db);
      const store = openStore(database.db, { clock, bounds: { cacheBytes } });
      const waiting: { commit: () => Promise<void> }[] = [];
      const isSame = async (back: number, hours: number): Promise<void> => {
        const at = [tenantId, now - back * MINUTE, hours * HOUR] as const;
        expect(await countOf(store, ...at)).toBe(await countOf(openStore(database.db, { clock }), ...at));
      };
      for (const each of steps) {
        if (each.kind === 'ingest') await store.ingest(tenantId, [{ ts: now - each.back * MINUTE - 30_000, name: 'call' }]);
        else if (each.kind === 'begin' && waiting.length < 3) waiting.push(await pending(tenantId, now - each.back * MINUTE - 20_000));
        else if (each.kind === 'commit') await waiting.splice(each.which % Math.max(1, waiting.length), 1)[0]?.commit();
        else if (each.kind === 'compact') await compactLater(tenantId, each.shiftMs);
        else if (each.kind === 'read') await isSame(each.back, each.hours);
        else if (each.kind === 'readTwice') await Promise.all([isSame(0, each.hours), isSame(0, 1), compactLater(tenantId, 6 * MINUTE)]);
      }
      for (const each of waiting) await each.commit();
      await isSame(0, 3);
    }),
    { numRuns: 60 },
  );
}, 120_000);

async function compactLater(tenantId: string, shiftMs: number): Promise<void> {
  const later = minuteClock();
  later.tick(shiftMs);
  await openStore(database.db, { clock: later }).compact([tenantId], NEVER);
}

test('a read in the middle of another one of the same tenant misses nothing and counts nothing twice', async () => {
  const { tenantId } = await makeTenant(database.db);
  const store: EventStore = openStore(database.db, { clock });
  const grouped = { query: { ...COUNT, windowMs: HOUR }, endMs: now };
  for (let round = 1; round <= 10; round++) {
    await store.ingest(tenantId, [{ ts: now - round * MINUTE, name: 'call' }]);
    const counts = await Promise.all([1, 2, 3, 4].map(() => countOf(store, tenantId, now, HOUR)));
    expect(counts).toEqual([round, round, round, round]);
    if (round % 3 === 0) {
      await Promise.all([store.source.read([{ tenantId, queries: [grouped] }], NEVER), compactLater(tenantId, HOUR)]);
    }
  }
});
