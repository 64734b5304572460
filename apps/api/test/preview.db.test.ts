import { Backtest, MetricRange, Preview } from '@tocsin/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, openWorld, type World } from './open-world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const SLOW = { metric: 'latency', aggregation: 'avg', window: '5m', operator: '>', threshold: 500 };
const draft = (over: object = {}) => ({ name: 'Slow', condition: SLOW, every: '1m', evaluationDelay: '0s', cooldown: '0s', ...over });

/** Two hours ago it was slow for twenty minutes on the one model, and for one minute on the other. */
async function withHistory(): Promise<{ actor: Actor; from: number; to: number }> {
  const actor = await world.tenant();
  await actor.ask('POST', '/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox', config: {} });
  const to = Math.floor(Date.now() / HOUR) * HOUR;
  const from = to - 3 * HOUR;
  const events = Array.from({ length: 180 }, (_, minute) => ['a', 'b'].map((model) => ({ minute, model }))).flat();
  const isSlow = ({ minute, model }: { minute: number; model: string }): boolean =>
    model === 'a' ? minute >= 60 && minute < 80 : minute === 100;
  const answer = await actor.ask('POST', '/events', {
    events: events.map((event) => ({
      ts: from + event.minute * MINUTE + 30_000,
      name: 'llm.call',
      dims: { model: event.model },
      measures: { duration_ms: isSlow(event) ? 3_000 : 100 },
    })),
  });
  expect(answer.body).toMatchObject({ accepted: 360 });
  return { actor, from, to };
}

const iso = (ms: number): string => new Date(ms).toISOString();

describe('a preview', () => {
  test('says when a draft would have fired, for how long, and what it would have told', async () => {
    const { actor, from, to } = await withHistory();
    const rule = draft({ groupBy: ['model'], notify: ['inbox'] });
    const { status, body } = await actor.ask('POST', '/rules/preview', { rule, from: iso(from), to: iso(to) });
    expect(status).toBe(200);
    const preview = Preview.parse(body);
    expect(preview.description).toBe('Warning when the average latency is above 500 ms over 5m, for each model.');
    expect(preview.counts).toMatchObject({ alerts: 2, notifications: 4, seriesAffected: 2 });
    expect(preview.slots).toBe(180);
    const [noisy] = preview.series.toSorted((a, b) => (a.labels['model']! < b.labels['model']! ? -1 : 1));
    expect(noisy?.firing).toHaveLength(1);
    const [span] = noisy!.firing;
    expect(span).toMatchObject({ severity: 'warning', peak: 3_000 });
    // One slow minute of five is 680 on average; the last of them leaves the window five minutes later.
    expect(Date.parse(span!.to!) - Date.parse(span!.from)).toBe(24 * MINUTE);
    // The first slot of a tenant may lie before the first event.
    expect(noisy?.points.length).toBeGreaterThanOrEqual(179);
    expect(noisy?.points.filter(({ state }) => state === 'firing')).toHaveLength(24);
    expect(preview.warnings).toEqual([]);
  });

  test('counts apart what maintenance of that time would have muted, by the series it concerns', async () => {
    const { actor, from, to } = await withHistory();
    const window = {
      name: 'Model a',
      matchers: [
        { label: 'model', op: '=', value: 'a' },
        { label: 'rule', op: '=', value: 'slow' },
      ],
      timeZone: 'UTC',
      start: iso(from).slice(0, 16),
      duration: '3h',
    };
    expect((await actor.ask('POST', '/maintenance-windows', window)).status).toBe(201);
    const rule = draft({ groupBy: ['model'], notify: ['inbox'] });
    const { body } = await actor.ask('POST', '/rules/preview', { rule, from: iso(from), to: iso(to) });
    expect(body.counts).toMatchObject({ alerts: 2, notifications: 2, muted: 1, seriesAffected: 2 });
  });

  test('says whether events or hours were read, as a backtest and metric queries do', async () => {
    const { actor, from, to } = await withHistory();
    const range = { from: iso(from), to: iso(to) };
    const stored = await actor.ask('POST', '/rules', draft());
    for (const [window, basis] of [
      ['6h', 'events'],
      ['7h', 'hours'],
    ]) {
      const condition = { ...SLOW, aggregation: 'p95', window };
      const preview = Preview.parse((await actor.ask('POST', '/rules/preview', { rule: draft({ condition }), ...range })).body);
      expect(preview.basis).toBe(basis);
      expect(preview.warnings.some(({ code }) => code === 'summed_up')).toBe(basis === 'hours');
      const { body } = await actor.ask('POST', `/rules/${stored.body.id}/backtest`, { rule: { condition }, ...range });
      expect([body.stored.basis, body.draft.basis]).toEqual(['events', basis]);
      const metric = await actor.ask('POST', '/metrics/query', { metric: 'latency', aggregation: 'p95', window, step: '10m', ...range });
      expect(MetricRange.parse(metric.body).basis).toBe(basis);
    }
  });

  test('changes nothing, and warns of what is worth knowing', async () => {
    const { actor, from, to } = await withHistory();
    const quiet = await actor.ask('POST', '/rules/preview', {
      rule: draft({ condition: { ...SLOW, threshold: 50_000 } }),
      from: iso(from),
      to: iso(to),
    });
    expect(quiet.body.warnings.map(({ code }: { code: string }) => code)).toEqual(['never_fires', 'no_channels']);
    expect(quiet.body.warnings[0].message).toContain('1550');
    const always = await actor.ask('POST', '/rules/preview', {
      rule: draft({ condition: { ...SLOW, threshold: 1 }, mode: 'shadow' }),
      from: iso(from),
      to: iso(to),
    });
    expect(always.body.warnings.map(({ code }: { code: string }) => code)).toEqual(['always_firing', 'shadow']);
    const nothing = await actor.ask('POST', '/rules/preview', {
      rule: draft({ condition: { ...SLOW, name: 'nobody.sends.this' } }),
      from: iso(from),
      to: iso(to),
    });
    expect(nothing.body.warnings[0]).toMatchObject({ code: 'no_data' });
    expect((await actor.ask('GET', '/rules')).body.data).toEqual([]);
    expect((await actor.ask('GET', '/alerts')).body.data).toEqual([]);
  });

  test('thins its points by step, keeping the worst of each', async () => {
    const { actor, from, to } = await withHistory();
    const { body } = await actor.ask('POST', '/rules/preview', {
      rule: draft({ groupBy: ['model'] }),
      from: iso(from),
      to: iso(to),
      step: '1h',
    });
    expect(body.step).toBe('1h');
    expect(body.series.map((series: Preview['series'][number]) => series.points.map(({ state }) => state))).toContainEqual([
      'ok',
      'firing',
      'ok',
    ]);
  });

  test('tells how far it is to whoever accepts lines', async () => {
    const { actor, from, to } = await withHistory();
    const asked = { rule: draft(), from: iso(from), to: iso(to) };
    const { status, headers, text } = await actor.ask('POST', '/rules/preview', asked, { accept: 'application/x-ndjson' });
    expect([status, headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const shares = lines.slice(0, -1).map(({ progress }) => Number(progress));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(Preview.parse(lines.at(-1)!['result']).counts.alerts).toBe(1);
    const refused = await actor.ask('POST', '/rules/preview', { ...asked, rule: {} }, { accept: 'application/x-ndjson' });
    expect([refused.status, refused.headers['content-type']]).toEqual([422, 'application/problem+json; charset=utf-8']);
  });

  test.each<[string, object, string]>([
    ['a draft that is none', { rule: { name: 'x' } }, '/rule/condition'],
    ['an end before its beginning', { to: '2020-01-01T00:00:00Z' }, '/to'],
    ['more than 30 days', { from: '2026-01-01T00:00:00Z' }, '/from'],
    ['a step that is none', { step: 'often' }, '/step'],
    ['a field too many', { deep: true }, '/deep'],
    ['a rule that is not there', { rule: draft({ condition: { all: [{ rule: 'nobody' }, SLOW] } }) }, ''],
  ])('of %s is told so', async (what, over, pointer) => {
    const actor = await world.tenant();
    const now = Date.now();
    const { status, body } = await actor.ask('POST', '/rules/preview', { rule: draft(), from: iso(now - HOUR), to: iso(now), ...over });
    if (what === 'a rule that is not there') {
      // An unknown rule is unknown, as it would be live.
      expect([status, body.counts]).toEqual([200, { alerts: 0, notifications: 0, firingMs: 0, seriesAffected: 0, muted: 0 }]);
      return;
    }
    expect(status).toBe(422);
    expect(body.errors.map((issue: { pointer: string }) => issue.pointer)).toContain(pointer);
  });

  test('of more slots than are played at once is told so', async () => {
    const actor = await world.tenant();
    const now = Date.now();
    const { status, body } = await actor.ask('POST', '/rules/preview', {
      rule: draft({ every: '10s' }),
      from: iso(now - 29 * 24 * HOUR),
      to: iso(now),
    });
    expect([status, body.type]).toEqual([422, '/errors/bound_exceeded']);
  });
});

describe('a backtest', () => {
  test('says which episodes only one of the two has, and what is saved', async () => {
    const { actor, from, to } = await withHistory();
    const stored = await actor.ask('POST', '/rules', draft({ groupBy: ['model'], notify: ['inbox'] }));
    const change = { for: '10m' };
    const { status, body } = await actor.ask('POST', `/rules/${stored.body.id}/backtest`, { rule: change, from: iso(from), to: iso(to) });
    expect(status).toBe(200);
    const backtest = Backtest.parse(body);
    expect(backtest.stored.counts.alerts).toBe(2);
    expect(backtest.draft.counts.alerts).toBe(1);
    expect(backtest).toMatchObject({ inBoth: 1, onlyDraft: [], notificationsSaved: 2 });
    expect(backtest.onlyStored.map(({ labels }) => labels)).toEqual([{ model: 'b' }]);
  });

  test('of another tenant’s rule is not found', async () => {
    const [mine, other] = [await world.tenant(), await world.tenant('Other')];
    const stored = await mine.ask('POST', '/rules', draft());
    const now = Date.now();
    const asked = { rule: {}, from: iso(now - HOUR), to: iso(now) };
    expect((await other.ask('POST', `/rules/${stored.body.id}/backtest`, asked)).status).toBe(404);
    expect((await mine.ask('POST', `/rules/${stored.body.id}/backtest`, asked)).status).toBe(200);
  });
});

describe('rules that refer to rules', () => {
  const refers = (key: string, to: string) => ({ key, name: key, condition: { all: [{ rule: to, is: 'firing' }, SLOW] } });

  test('must refer to one that is there, never in a circle, and keep it from being deleted', async () => {
    const actor = await world.tenant();
    const unknown = await actor.ask('POST', '/rules', refers('a', 'slo'));
    expect([unknown.status, unknown.body.errors[0].code]).toEqual([422, 'unknown_rule']);
    const slow = await actor.ask('POST', '/rules', draft({ key: 'slow' }));
    const a = await actor.ask('POST', '/rules', refers('a', 'slow'));
    const b = await actor.ask('POST', '/rules', refers('b', 'a'));
    expect([a.status, b.status]).toEqual([201, 201]);
    expect(a.body.description).toBe('Warning when rule slow is firing and the average latency is above 500 ms over 5m.');
    const circle = await actor.ask('PATCH', `/rules/${slow.body.id}`, { condition: { all: [{ rule: 'b' }, SLOW] } });
    expect([circle.status, circle.body.errors[0].code]).toEqual([422, 'cycle']);
    expect(circle.body.errors[0].message).toContain('slow → b → a → slow');
    const itself = await actor.ask('POST', '/rules', refers('c', 'c'));
    expect([itself.status, itself.body.errors[0].code]).toEqual([422, 'cycle']);
    const kept = await actor.ask('DELETE', `/rules/${slow.body.id}`);
    expect([kept.status, kept.body.type]).toEqual([409, '/errors/rule_in_use']);
    const renamed = await actor.ask('PATCH', `/rules/${slow.body.id}`, { key: 'slower' });
    expect(renamed.status).toBe(409);
    for (const { body } of [b, a, slow]) expect((await actor.ask('DELETE', `/rules/${body.id}`)).status).toBe(204);
  });
});

test('rules are found by any severity they may have', async () => {
  const actor = await world.tenant();
  const save = async (key: string, over: object) => expect((await actor.ask('POST', '/rules', draft({ key, ...over }))).status).toBe(201);
  await save('plain', { severity: 'error' });
  await save('levels', { condition: { ...SLOW, threshold: { warning: 1, critical: 2 } } });
  await save('budget', { condition: { metric: 'cost', window: 'month', threshold: { budget: { amount: 10 } } } });
  const found = async (severity: string): Promise<string[]> =>
    (await actor.ask('GET', `/rules?severity=${severity}`)).body.data.map(({ key }: { key: string }) => key).toSorted();
  expect([await found('info'), await found('warning'), await found('error'), await found('critical')]).toEqual([
    [],
    ['budget', 'levels'],
    ['plain'],
    ['budget', 'levels'],
  ]);
});
