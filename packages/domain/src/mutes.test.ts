import { describe, expect, test } from 'vitest';
import type { Matcher } from './matchers.ts';
import { muteOf, type Mutes, NO_MUTES, type OpenMatched } from './mutes.ts';
import { Route, routesTaken } from './routes.ts';

const is = (label: string, value: string): Matcher => ({ label, op: '=', value });
const alert = (id: string, labels: Record<string, string> = {}): OpenMatched & { silencedUntilMs: number | null } => ({
  id,
  labels,
  ruleKey: 'slow',
  severity: 'error',
  alertType: 'threshold',
  silencedUntilMs: null,
});
const quiet = (id: string, untilMs: number, ...matchers: Matcher[]) => ({ id, untilMs, matchers });
const mutes = (change: Partial<Mutes>): Mutes => ({ ...NO_MUTES, ...change });

describe('what mutes an alert', () => {
  test.each<[string, ReturnType<typeof alert>, Mutes, ReturnType<typeof muteOf>]>([
    ['nothing', alert('a'), NO_MUTES, null],
    ['its own silence', { ...alert('a'), silencedUntilMs: 20 }, NO_MUTES, { reason: 'alert_silenced', by: 'a', untilMs: 20 }],
    ['not one that is over', { ...alert('a'), silencedUntilMs: 10 }, NO_MUTES, null],
    ['a silence', alert('a'), mutes({ silences: [quiet('s', 20, is('rule', 'slow'))] }), { reason: 'silenced', by: 's', untilMs: 20 }],
    ['not one of others', alert('a'), mutes({ silences: [quiet('s', 20, is('rule', 'fast'))] }), null],
    ['not one that is over at this instant', alert('a'), mutes({ silences: [quiet('s', 10, is('rule', 'slow'))] }), null],
    [
      'of two silences the one that lasts longer',
      alert('a'),
      mutes({ silences: [quiet('s', 20), quiet('t', 30), quiet('u', 25)] }),
      { reason: 'silenced', by: 't', untilMs: 30 },
    ],
    ['a window', alert('a'), mutes({ windows: [quiet('w', 20)] }), { reason: 'maintenance', by: 'w', untilMs: 20 }],
    [
      'a silence before a window',
      alert('a'),
      mutes({ windows: [quiet('w', 50)], silences: [quiet('s', 20)] }),
      { reason: 'silenced', by: 's', untilMs: 20 },
    ],
  ])('%s', (_what, of, known, expected) => {
    expect(muteOf(of, known, 10)).toEqual(expected);
  });
});

describe('inhibition', () => {
  const inhibition = { source: [is('kind', 'host_down')], target: [is('kind', 'slow')], equal: ['host'] };
  const down = (id: string, host: string) => alert(id, { kind: 'host_down', host });
  const slow = (id: string, host: string) => alert(id, { kind: 'slow', host });

  test('a target is muted by a source with equal labels, and by no other', () => {
    const known = mutes({ inhibitions: [inhibition], inhibitors: [down('d1', 'one'), down('d2', 'two')] });
    expect(muteOf(slow('s', 'two'), known, 0)).toEqual({ reason: 'inhibited', by: 'd2', untilMs: null });
    expect(muteOf(slow('s', 'three'), known, 0)).toBeNull();
    expect(muteOf(down('d3', 'one'), known, 0)).toBeNull();
  });

  test('a label that both lack is equal', () => {
    const known = mutes({ inhibitions: [inhibition], inhibitors: [alert('d', { kind: 'host_down' })] });
    expect(muteOf(alert('s', { kind: 'slow' }), known, 0)?.by).toBe('d');
  });

  test('none mutes itself, nor do two that are both source and target mute each other', () => {
    const both = { source: [is('rule', 'slow')], target: [is('rule', 'slow')], equal: [] };
    const known = mutes({ inhibitions: [both], inhibitors: [alert('a'), alert('b')] });
    expect(muteOf(alert('a'), known, 0)).toBeNull();
    expect(muteOf(alert('b'), known, 0)).toBeNull();
  });

  test('one that is a source as well is muted by what is a source alone', () => {
    const worse = { source: [is('rule', 'slow')], target: [is('kind', 'slow')], equal: [] };
    const known = mutes({ inhibitions: [worse], inhibitors: [alert('c', { kind: 'other' })] });
    expect(muteOf(slow('s', 'one'), known, 0)?.by).toBe('c');
  });
});

describe('routes', () => {
  const route = (change: object): Route => Route.parse({ channels: [{ channel: 'a' }], ...change });
  const prod = [is('env', 'prod')];

  test.each<[string, Route[], number[]]>([
    ['none', [], []],
    ['the first that matches, alone', [route({ matchers: [is('env', 'dev')] }), route({ matchers: prod }), route({})], [1]],
    ['on after one that says so', [route({ matchers: prod, continue: true }), route({ matchers: [is('x', 'y')] }), route({})], [0, 2]],
    [
      'not on after one that does not match',
      [route({ matchers: [is('env', 'dev')], continue: true }), route({ matchers: prod }), route({})],
      [1],
    ],
    ['all that say so', [route({ continue: true }), route({ continue: true })], [0, 1]],
  ])('%s', (_what, routes, taken) => {
    expect(routesTaken(routes, alert('a', { env: 'prod' }))).toEqual(taken);
  });
});
