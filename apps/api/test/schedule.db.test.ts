import { Schedule } from '@tocsin/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, aRule, expectProblem, openWorld, type World } from './open-world.ts';

const DEFAULTS = { every: '1m', debounce: '0s', timeZone: 'UTC', cron: null, activeHours: [], pausedUntil: null };
const WORK = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:30' }];

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  await tenant.ask('POST', '/rules', aRule());
});
afterAll(() => world.close());

const put = (body: unknown) => tenant.ask('PUT', '/schedule', body);

describe('a schedule', () => {
  test('nobody has set says what holds by default', async () => {
    const { body } = await (await world.tenant('New')).ask('GET', '/schedule');
    expect(Schedule.parse(body)).toMatchObject({ ...DEFAULTS, configured: false, defaults: DEFAULTS, lastRunAt: null, nextRunAt: null });
  });

  test('is what was put, whole: what was left out is the default', async () => {
    const all = {
      every: '5m',
      debounce: '10m',
      timeZone: 'Europe/Berlin',
      cron: '*/10 9-17 * * 1-5',
      activeHours: WORK,
      pausedUntil: '2030-01-04T08:00:00.000Z',
    };
    const { status, body } = await put(all);
    expect({ status, body: Schedule.parse(body) }).toMatchObject({
      status: 200,
      body: { ...all, configured: true, slotEvery: '10m', nextRunAt: '2030-01-04T08:00:00.000Z' },
    });
    expect((await tenant.ask('GET', '/schedule')).body).toEqual(body);
    expect((await put({ every: '30s' })).body).toMatchObject({ ...DEFAULTS, every: '30s', configured: true });
    expect((await put({})).body).toMatchObject({ ...DEFAULTS, configured: true });
  });

  test('says when the last run ended and the next is to be', async () => {
    const { body } = await put({ every: '1m' });
    expect(Date.parse(body.nextRunAt) - Date.now()).toBeLessThan(61_000);
    expect(body.nextRunAt).toBe(body.nextSlotAt);
  });

  test('is written by admins alone', async () => {
    expectProblem(await (await tenant.as('editor'))('PUT', '/schedule', {}), 'forbidden', 403);
    expect((await (await tenant.as('viewer'))('GET', '/schedule')).status).toBe(200);
  });
});

test.each<[what: string, body: Record<string, unknown>, pointer: string, message: RegExp]>([
  ['too fine', { every: '9s' }, '/every', /from 10s to 1d/],
  ['too coarse', { every: '25h' }, '/every', /from 10s to 1d/],
  ['negative', { every: '-1m' }, '/every', /whole units/],
  ['a fraction', { every: '1.5m' }, '/every', /whole units/],
  ['text', { every: 'often' }, '/every', /such as 30s or 5m/],
  ['a number', { every: 60 }, '/every', /expected string/],
  ['a debounce too long', { debounce: '25h' }, '/debounce', /from 0s to 1d/],
  ['a negative debounce', { debounce: '-1s' }, '/debounce', /from 0s to 1d/],
  ['a zone that is none', { timeZone: 'Europe/Berlni' }, '/timeZone', /Did you mean 'Europe\/Berlin'/],
  ['an offset for a zone', { timeZone: '+01:00' }, '/timeZone', /Europe\/Berlin/],
  ['a cron of four fields', { cron: '* * * *' }, '/cron', /no cron expression such as/],
  ['a cron with a minute 61', { cron: '61 * * * *' }, '/cron', /minute: 61/],
  ['a cron with a year', { cron: '0 0 0 1 1 * 2030' }, '/cron', /more than six fields/],
  ['a cron that never comes', { cron: '0 0 30 2 *' }, '/cron', /comes once at most/],
  ['a cron that is too fine', { cron: '*/5 * * * * *' }, '/cron', /every 5 s; at least 10 s/],
  ['a cron outside of the hours', { cron: '0 3 * * *', activeHours: WORK }, '/cron', /never comes within the active hours/],
  [
    'hours that end before they begin',
    { activeHours: [{ days: ['mon'], from: '22:00', to: '06:00' }] },
    '/activeHours/0/to',
    /two entries/,
  ],
  ['hours that are no time', { activeHours: [{ days: ['mon'], from: '9', to: '25:00' }] }, '/activeHours/0/from', /such as 09:30/],
  ['a day that is none', { activeHours: [{ days: ['mom'], from: '09:00', to: '17:00' }] }, '/activeHours/0/days/0', /Did you mean 'mon'/],
  ['no day', { activeHours: [{ days: [], from: '09:00', to: '17:00' }] }, '/activeHours/0/days', /.+/],
  ['a pause without a zone', { pausedUntil: '2030-01-04T08:00:00' }, '/pausedUntil', /RFC 3339/],
  ['a pause until too far ahead', { pausedUntil: '9999-01-04T08:00:00Z' }, '/pausedUntil', /2200/],
  ['a field that is none', { timezone: 'UTC' }, '/timezone', /Did you mean 'timeZone'/],
])('%s is a 422 that says where and why, and changes nothing', async (_what, body, pointer, message) => {
  const before = (await tenant.ask('GET', '/schedule')).body;
  const { errors } = expectProblem(await put(body), 'invalid', 422);
  expect(errors?.map((issue) => issue.pointer)).toContain(pointer);
  expect(errors?.find((issue) => issue.pointer === pointer)?.message).toMatch(message);
  expect((await tenant.ask('GET', '/schedule')).body).toEqual(before);
});

test('several faults are told at once', async () => {
  const { errors } = expectProblem(await put({ every: '1s', debounce: 'x', timeZone: 'Mars' }), 'invalid', 422);
  expect(errors?.map(({ pointer }) => pointer)).toEqual(['/every', '/debounce', '/timeZone']);
});
