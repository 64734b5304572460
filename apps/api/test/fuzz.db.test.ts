import fc from 'fast-check';
import { Problem, Rule } from '@tocsin/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, type Answer, aRule, aWebhook, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

/** What may be put in any place: everything JSON can say, and texts that have broken things before. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e',
    "'; drop table rules;--",
    '${7*7}',
    '{{constructor}}',
    '__proto__',
    '1e400',
    'NaN',
    '-0',
    '%s%n',
    'x'.repeat(10_000),
  ),
  fc.constantFrom(-0, 1e308, -1e308, 5e-324, 2 ** 53 + 1, -1, 0.1),
);
const fields = [
  'name',
  'key',
  'severity',
  'condition',
  'groupBy',
  'every',
  'for',
  'keepFiringFor',
  'cooldown',
  'evaluationDelay',
  'noData',
  'onError',
  'notify',
  'remindEvery',
  'labels',
  'annotations',
  'enabled',
  'unknown',
];
const comparisonFields = [
  'metric',
  'measure',
  'dim',
  'name',
  'aggregation',
  'where',
  'window',
  'operator',
  'threshold',
  'recover',
  'minSamples',
  'unit',
  'groupBy',
];

const brokenRule = fc.oneof(
  fc.dictionary(fc.constantFrom(...fields), anything).map((broken) => aRule(broken)),
  fc
    .dictionary(fc.constantFrom(...comparisonFields), anything)
    .map((broken) => aRule({ condition: { ...(aRule()['condition'] as object), ...broken } })),
  anything,
);
const brokenChannel = fc.oneof(
  fc.dictionary(fc.constantFrom('key', 'name', 'kind', 'config', 'enabled', 'unknown'), anything).map((broken) => aWebhook(broken)),
  fc.dictionary(fc.constantFrom('url', 'secret', 'headers', 'unknown'), anything).map((config) => aWebhook({ config })),
);

/** Whatever is asked, the answer is of ours: a success, or a problem that is not our fault. */
function expectAnswer(answer: Answer, asked: unknown): void {
  expect(answer.status, `${JSON.stringify(asked)} → ${answer.text}`).toBeLessThan(500);
  if (answer.status >= 400) Problem.parse(answer.body);
}

test('no rule, however broken, is answered by anything but a rule or a problem of its own', async () => {
  await fc.assert(
    fc.asyncProperty(brokenRule, async (body) => {
      const made = await tenant.ask('POST', '/rules', body ?? null);
      expectAnswer(made, body);
      if (made.status !== 201) return;
      const { id } = Rule.parse(made.body);
      expectAnswer(await tenant.ask('PATCH', `/rules/${id}`, body ?? null), body);
      expect((await tenant.ask('POST', `/rules/${id}/test?simulate=5`)).status).toBe(200);
      expect((await tenant.ask('DELETE', `/rules/${id}`)).status).toBe(204);
    }),
    { numRuns: 400 },
  );
});

test('no channel, event or metric query, however broken, is our fault', async () => {
  await fc.assert(
    fc.asyncProperty(brokenChannel, anything, async (channel, value) => {
      expectAnswer(await tenant.ask('POST', '/channels', channel), channel);
      expectAnswer(
        await tenant.ask('POST', '/events', {
          events: [value, { name: 'x', dims: value }, { name: 'x', measures: value }, { name: value }, { name: 'x', ts: value }],
        }),
        value,
      );
      expectAnswer(
        await tenant.ask('POST', '/metrics/query', {
          metric: 'latency',
          window: '5m',
          where: { model: value },
          from: 0,
          to: value,
          step: '1h',
        }),
        value,
      );
      expectAnswer(await tenant.ask('PUT', '/schedule', { every: value }), value);
    }),
    { numRuns: 150 },
  );
});

const LISTS = ['rules', 'channels', 'alerts', 'deliveries', 'inbox', 'events', 'metrics'];
const PARAMETERS = 'limit cursor status severity since search ruleId ruleKey name from to kind channelKey unread'.split(' ');

test.each(LISTS)('no parameter of /%s that PostgreSQL would refuse reaches it', async (list) => {
  for (const name of PARAMETERS) {
    for (const value of ['\u0000', 'a\u0000b', '\ud800', '']) {
      const path = `/${list}?${name}=${encodeURIComponent(value.toWellFormed())}`;
      expectAnswer(await tenant.ask('GET', path), path);
    }
  }
});

test('no path or parameter, however broken, is our fault', async () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u0000', '%', '%zz', '../..', '1;drop', 'null', '01'.repeat(300)));
  const lists = fc.constantFrom(...LISTS);
  await fc.assert(
    fc.asyncProperty(lists, fc.constantFrom(...PARAMETERS), text, async (list, name, value) => {
      const encoded = encodeURIComponent(value.toWellFormed());
      for (const path of [
        `/${list}?${name}=${encoded}`,
        `/${list}/${encoded}`,
        `/rules/by-key/${encoded}`,
        `/rules/${encoded}/evaluations?${name}=${encoded}`,
      ]) {
        expectAnswer(await tenant.ask('GET', path), path);
      }
    }),
    { numRuns: 200 },
  );
});
