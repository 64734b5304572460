import { Alert, pageOf } from '@tocsin/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

const modelsOf = async (query: string): Promise<string[]> => {
  const answer = await tenant.ask('GET', `/alerts?${query}`);
  expect(answer.status, answer.text).toBe(200);
  return pageOf(Alert)
    .parse(answer.body)
    .data.map(({ labels }) => labels['model'] ?? '');
};

describe('filters', () => {
  beforeAll(async () => {
    await actors.open('a', { typeName: 'cost_high', category: 'llm-app', labels: { model: 'a', env: 'prod', url: 'http://x:1' } });
    const b = await actors.open('b', { typeName: 'latency_high', severity: 'critical', labels: { model: 'b', env: 'prod' } });
    const c = await actors.open('c', {
      typeName: 'anomaly_high',
      category: 'http-api',
      labels: { model: 'c', env: 'dev' },
      ruleName: '100% of_it',
    });
    await tenant.ask('PUT', `/alerts/${b}/assignee`, { assignee: 'ann' });
    await actors.inTenant((sql) => sql`update alerts set silenced_until = tocsin_now() + interval '1 hour' where id = ${c}`);
    await actors.inTenant((sql) => sql`update alerts set silenced_until = tocsin_now() - interval '1 hour' where id = ${b}`);
  });

  test.each<[string, string[]]>([
    ['', ['c', 'b', 'a']],
    ['alertType=cost_high', ['a']],
    ['alertType=cost_high,anomaly_high', ['c', 'a']],
    ['category=llm-app', ['a']],
    ['label=env:prod', ['b', 'a']],
    ['label=env:prod&label=model:a', ['a']],
    ['label=url:http://x:1', ['a']],
    ['label=env:', []],
    ['assignee=ann', ['b']],
    ['rule=slow', ['c', 'b', 'a']],
    ['rule=fast', []],
    ['status=silenced', ['c']],
    ['status=silenced,resolved', ['c']],
    ['status=open&severity=critical&label=env:prod&assignee=ann&alertType=latency_high', ['b']],
    ['q=PROD', ['b', 'a']],
    ['q=100%25', ['c']],
    ['q=of_i', ['c']],
    ['q=0_', []],
    ['q=LATENCY', ['c', 'b', 'a']],
    ['q=nothing', []],
    ['from=2020-01-01T00:00:00Z', ['c', 'b', 'a']],
    ['to=2020-01-01T00:00:00Z', []],
  ])('%s', async (query, models) => {
    expect(await modelsOf(query)).toEqual(models);
  });

  test('the rule by its id', async () => {
    expect(await modelsOf(`rule=${actors.ruleId}`)).toEqual(['c', 'b', 'a']);
  });

  test.each(['label=x', 'label=', 'alertType=threshold', 'category=!', 'q=', 'assignee=', 'format=xml'])('%s is refused', async (query) => {
    const { errors } = expectProblem(await tenant.ask('GET', `/alerts?${query}`), 'invalid', 422);
    expect(errors?.[0]?.pointer).toBe(`?${query.split('=')[0]}`);
  });
});

describe('taken away whole', () => {
  const HOSTILE = ['=cmd|"/c calc"!A1', '+1', '-1', '@SUM(1)', '\u{ff1d}1', 'two\nlines', 'a,"b"'];
  let hostile: Actor;
  beforeAll(async () => {
    hostile = await world.tenant('Hostile');
    const theirs = await alertActors(world, hostile);
    for (const ruleName of HOSTILE) await theirs.open('m', { ruleName, labels: { name: ruleName } });
    for (let batch = 0; batch < 12; batch += 1)
      await Promise.all(Array.from({ length: 100 }, () => theirs.open('many', { ruleName: 'many' })));
  });

  test('as CSV, every one of them, and no cell begins a formula', async () => {
    const answer = await hostile.ask('GET', '/alerts?format=csv&limit=1');
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    expect(answer.headers['content-disposition']).toBe('attachment; filename="alerts.csv"');
    const lines = answer.text.split('\r\n');
    expect(lines[0]).toMatch(/^id,status,severity,alertType,/);
    expect(lines.at(-1)).toBe('');
    expect(lines).toHaveLength(1 + HOSTILE.length + 1_200 + 1);
    expect(answer.text).toContain(`,"'=cmd|""/c calc""!A1",`);
    for (const name of ['+1', '-1', '@SUM(1)', '\u{ff1d}1']) expect(answer.text).toContain(`,'${name},`);
    expect(answer.text).toMatch(/,"two\nlines",/);
    expect(answer.text).not.toMatch(/(^|,)"?[=+@\u{ff1d}]/mu);
  });

  test('as JSON, in the words of the list, filtered like it', async () => {
    const answer = await hostile.ask('GET', '/alerts?format=json');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).toHaveLength(HOSTILE.length + 1_200);
    for (const alert of answer.body.slice(-HOSTILE.length)) Alert.parse(alert);
    expect(answer.body.slice(-HOSTILE.length).map((alert: Alert) => alert.rule.name)).toEqual(HOSTILE.toReversed());
    expect((await hostile.ask('GET', '/alerts?format=json&q=sum')).body).toHaveLength(1);
    expect((await hostile.ask('GET', '/alerts?format=json&status=resolved')).body).toEqual([]);
  });

  test('deliveries and the evaluations of a rule too', async () => {
    await tenant.ask('POST', '/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox' });
    const { body } = await tenant.ask('GET', '/channels?kind=inbox');
    await tenant.ask('POST', `/channels/${body.data[0].id}/test`);
    const deliveries = (await tenant.ask('GET', '/deliveries?format=csv')).text.split('\r\n');
    expect(deliveries[0]).toMatch(/^id,alertId,triggerId,channel,/);
    expect(deliveries[1]).toMatch(/,inbox,inbox,test,/);
    expect((await tenant.ask('GET', '/deliveries?format=json')).body).toHaveLength(1);
    const evaluations = await tenant.ask('GET', `/rules/${actors.ruleId}/evaluations?format=csv`);
    expect(evaluations.text).toMatch(/^runId,slot,evaluatedAt,series,outcome,/);
    expect((await tenant.ask('GET', `/rules/${actors.ruleId}/evaluations?format=json`)).body).toEqual([]);
    expectProblem(await tenant.ask('GET', '/deliveries?format=csv&cursor=x'), 'invalid', 422);
  });
});
