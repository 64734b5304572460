import { BulkAnswer } from '@tocsin/contracts';
import { newId } from '@tocsin/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertActors } from './alert-actors.ts';
import { type Actor, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;
let actors: Awaited<ReturnType<typeof alertActors>>;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  actors = await alertActors(world, tenant);
});
afterAll(() => world.close());

const bulk = async (body: unknown): Promise<BulkAnswer> => {
  const answer = await tenant.ask('POST', '/alerts/bulk', body);
  expect(answer.status, answer.text).toBe(200);
  return BulkAnswer.parse(answer.body);
};
const resultsOf = ({ data }: BulkAnswer) => data.map(({ result, status, code }) => [result, status, code]);
const told = () => actors.inTenant((sql) => sql`update triggers set status = 'planned' where status = 'pending'`);

test('each alert has its result, and one that fails does not hold up the others', async () => {
  const other = await world.tenant('Other');
  const theirs = await (await alertActors(world, other)).open('b');
  const [over, fresh, acknowledged, unknown] = [await actors.open('a'), await actors.open('b'), await actors.open('c'), newId()];
  await tenant.ask('POST', `/alerts/${over}/resolve`);
  await tenant.ask('POST', `/alerts/${acknowledged}/acknowledge`);
  const answer = await bulk({ action: 'acknowledge', ids: [over, fresh, fresh, acknowledged, unknown, theirs], note: 'ours' });
  expect(answer.data.map(({ id }) => id)).toEqual([over, fresh, acknowledged, unknown, theirs]);
  expect(resultsOf(answer)).toEqual([
    ['failed', 'resolved', 'alert_resolved'],
    ['done', 'acknowledged', null],
    ['unchanged', 'acknowledged', null],
    ['failed', null, 'not_found'],
    ['failed', null, 'not_found'],
  ]);
  expect(answer).toMatchObject({ counts: { done: 1, unchanged: 1, failed: 3 }, hasMore: false });
  expect((await other.ask('GET', `/alerts/${theirs}`)).body.status).toBe('triggered');
});

test('what a filter finds is resolved, and then deleted by those who may', async () => {
  const ids = [await actors.open('filtered'), await actors.open('filtered')];
  const filter = { label: 'model:filtered' };
  const answer = await bulk({ action: 'resolve', filter: { ...filter, status: ['open'] }, notes: 'all of it' });
  expect(answer.data.map(({ id }) => id)).toEqual(ids.toReversed());
  expect(resultsOf(answer)).toEqual([
    ['done', 'resolved', null],
    ['done', 'resolved', null],
  ]);
  expect((await tenant.ask('GET', `/alerts/${ids[0]}`)).body).toMatchObject({ resolutionNotes: 'all of it' });
  expect(resultsOf(await bulk({ action: 'delete', filter }))).toEqual([
    ['failed', 'resolved', 'alert_open'],
    ['failed', 'resolved', 'alert_open'],
  ]);
  await told();
  const responder = await tenant.as('responder');
  expectProblem(await responder('POST', '/alerts/bulk', { action: 'delete', filter }), 'forbidden', 403);
  expect((await bulk({ action: 'delete', filter })).counts).toEqual({ done: 2, unchanged: 0, failed: 0 });
  expect((await tenant.ask('GET', '/alerts?label=model:filtered')).body.data).toEqual([]);
});

test('five hundred at a time, the newest, and quickly', async () => {
  for (let batch = 0; batch < 6; batch += 1) await Promise.all(Array.from({ length: 84 }, () => actors.open('many')));
  const startedMs = performance.now();
  const first = await bulk({ action: 'acknowledge', filter: { label: ['model:many'], status: 'triggered' } });
  const tookMs = performance.now() - startedMs;
  expect([first.counts.done, first.hasMore]).toEqual([500, true]);
  const rest = await bulk({ action: 'acknowledge', filter: { label: ['model:many'], status: 'triggered' } });
  expect([rest.counts.done, rest.hasMore]).toEqual([4, false]);
  expect(tookMs).toBeLessThan(10_000);
});

test('repeated with its Idempotency-Key it is done once', async () => {
  const ids = [await actors.open('repeated')];
  const headers = { 'idempotency-key': newId() };
  const first = await tenant.ask('POST', '/alerts/bulk', { action: 'resolve', ids }, headers);
  const again = await tenant.ask('POST', '/alerts/bulk', { action: 'resolve', ids }, headers);
  expect(again.body).toEqual(first.body);
  expect(first.body.counts.done).toBe(1);
});

test.each<[object, string]>([
  [{ action: 'explode', ids: [newId()] }, '/action'],
  [{ action: 'resolve' }, '/ids'],
  [{ action: 'resolve', ids: [] }, '/ids'],
  [{ action: 'resolve', ids: ['1'] }, '/ids/0'],
  [{ action: 'resolve', ids: Array.from({ length: 501 }, () => newId()) }, '/ids'],
  [{ action: 'resolve', ids: [newId()], filter: {} }, '/filter'],
  [{ action: 'resolve', filter: { status: 'on' } }, '/filter/status/0'],
  [{ action: 'resolve', filter: { colour: 'red' } }, '/filter/colour'],
  [{ action: 'resolve', ids: [newId()], note: 'n' }, '/note'],
  [{ action: 'acknowledge', ids: [newId()], notes: 'n' }, '/notes'],
])('%j is refused at %s', async (body, pointer) => {
  const { errors } = expectProblem(await tenant.ask('POST', '/alerts/bulk', body), 'invalid', 422);
  expect(errors?.map((error) => error.pointer)).toContain(pointer);
});

test('is not for viewers', async () => {
  expectProblem(await (await tenant.as('viewer'))('POST', '/alerts/bulk', { action: 'acknowledge', ids: [newId()] }), 'forbidden', 403);
});
