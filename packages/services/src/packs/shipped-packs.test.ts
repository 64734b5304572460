import { compileRule, describeRule, parseRule, type RuleSpec } from '@tocsin/domain';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { PackRule } from './pack.ts';
import { parseDefaults } from './read-defaults.ts';
import { CHECKOUT, shippedPacks } from './shipped-packs.ts';

type Fields = Record<string, unknown>;

const read = (path: string): string => readFileSync(join(CHECKOUT, path), 'utf8');
const page = read('docs/packs.md');
const defaults = parseDefaults(read('config/rules.yaml'), 'config/rules.yaml', {});

const files: { file: string; rules: readonly PackRule[]; written: Fields[] }[] = [
  ...shippedPacks().map(({ key, rules }) => ({ file: `packs/${key}.yaml`, rules })),
  { file: 'config/rules.yaml', rules: defaults.rules },
].map(({ file, rules }) => ({ file, rules, written: (parse(read(file)) as { rules: Fields[] }).rules }));

const everyRule = files.flatMap(({ rules, written }) =>
  rules.map(({ spec }, index) => ({ key: spec.key, spec, written: written[index] ?? {} })),
);

test('the packs are the five that are promised', () => {
  expect(shippedPacks().map(({ key, rules }) => [key, rules.length])).toEqual([
    ['http-api', 11],
    ['job-queue', 9],
    ['llm-app', 12],
    ['self-watch', 5],
    ['system', 5],
  ]);
});

test('no two rules that come with the product have the same key', () => {
  const keys = everyRule.map(({ key }) => key);
  expect(keys.filter((key, index) => keys.indexOf(key) < index)).toEqual([]);
});

/** Every leaf as it is written. */
function leavesOf(written: unknown): Fields[] {
  const condition = written as Fields;
  const inner = condition['all'] ?? condition['any'];
  if (Array.isArray(inner)) return inner.flatMap(leavesOf);
  return 'not' in condition ? leavesOf(condition['not']) : [condition];
}

/** Each limit of a leaf with what is said to recover from it: its own number, or one within the threshold where that moves. */
function limitsOf({ threshold, recover }: Fields): { kind: string; recover: unknown }[] {
  if (typeof threshold === 'number') return [{ kind: 'number', recover }];
  return Object.entries((threshold ?? {}) as Record<string, Fields | number>).flatMap(([name, limit]) => {
    if (['info', 'warning', 'error', 'critical'].includes(name))
      return limitsOf({ threshold: limit, recover: (recover as Fields | undefined)?.[name] });
    return [{ kind: name, recover: (limit as Fields)['recover'] }];
  });
}

/** What has no value to come back to: its rule has to be clear for a while instead. */
const ENDLESS = ['burnRate', 'absentFor', 'rule', 'budget', 'forecast'];

const kindsOf = (leaf: Fields): string[] => [...Object.keys(leaf), ...limitsOf(leaf).map(({ kind }) => kind)];

const isShare = (leaf: Fields): boolean =>
  'numerator' in leaf || (/^(error|timeout)_rate$/.test(String(leaf['metric'])) && (leaf['aggregation'] ?? 'avg') === 'avg');

describe.each(everyRule)('$key', ({ spec, written }) => {
  const leaves = leavesOf(written['condition']);

  test('is a rule, compiles, and is the same when it is read again', () => {
    expect(parseRule(spec)).toEqual({ ok: true, spec, enabled: null });
    expect(compileRule(spec).comparisons.length).toBeGreaterThan(0);
  });

  test('says why its threshold is what it is', () => {
    expect(spec.annotations['description']?.length).toBeGreaterThan(60);
    expect(spec.annotations['description']?.length).toBeLessThan(500);
  });

  test('has a number of samples below which a share says nothing', () => {
    for (const leaf of leaves.filter(isShare)) expect(leaf['minSamples'], JSON.stringify(leaf)).toBeGreaterThanOrEqual(5);
  });

  test('recovers: each of its limits by a number of its own, or the rule by staying clear where its kind has none', () => {
    const endless = leaves.filter((leaf) => kindsOf(leaf).some((kind) => ENDLESS.includes(kind)));
    if (endless.length > 0) expect(spec.keepFiringFor).not.toBe('0s');
    for (const leaf of leaves.filter((each) => !endless.includes(each))) {
      const limits = limitsOf(leaf);
      expect(limits).not.toEqual([]);
      for (const limit of limits) expect(limit.recover, `${JSON.stringify(leaf)} ${limit.kind}`).toBeTypeOf('number');
    }
  });
});

test('every event, dim and measure a rule names is told of beside it, and nothing else is', () => {
  for (const { key, looksAt, rules } of shippedPacks()) {
    const told = new Map(looksAt.map(({ event, dims, measures }) => [event, [...Object.keys(dims), ...Object.keys(measures)]]));
    const used = new Map([...told.keys()].map((event) => [event, new Set<string>()]));
    for (const { spec } of rules) {
      for (const { event, fields } of namesIn(spec)) {
        expect(told.get(event), `${spec.key} looks at ${event}`).toBeDefined();
        for (const field of fields) {
          expect(told.get(event), `${spec.key} looks at ${field} of ${event}`).toContain(field);
          used.get(event)?.add(field);
        }
      }
    }
    const unused = [...told].flatMap(([event, fields]) => fields.filter((field) => used.get(event)?.has(field) !== true));
    // Whoever sends calls sends these too; the catalogue has metrics of them.
    expect(
      unused.filter((field) => !['operation', 'input_tokens', 'total_tokens'].includes(field)),
      key,
    ).toEqual([]);
  }
});

const MEASURED: Record<string, string[]> = {
  latency: ['duration_ms'],
  ttft: ['ttft_ms'],
  cost: ['cost'],
  error_rate: ['status'],
  timeout_rate: ['status'],
};

interface Named {
  name: string;
  metric?: string;
  measure?: string;
  where?: Fields;
}

/** The events that a rule's parts look at, each with the fields it reads of them. */
function namesIn(spec: RuleSpec): { event: string; fields: string[] }[] {
  const found: { event: string; fields: string[] }[] = [];
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if ('name' in part && typeof part.name === 'string') {
      const { name: event, metric = '', measure, where = {} } = part as Named;
      const fields = [...(MEASURED[metric] ?? []), ...(measure === undefined ? [] : [measure]), ...Object.keys(where)];
      found.push({ event, fields: [...fields, ...spec.groupBy] });
    }
    Object.values(part).forEach(visit);
  };
  visit(spec.condition);
  return found;
}

/** The rows of a table under a heading, as the page has them. */
const rowsUnder = (heading: string): string[] =>
  (page.split(/^## /m).find((section) => section.startsWith(heading)) ?? '').split('\n').filter((line) => line.startsWith('| `'));

test.each(files)('docs/packs.md says of $file what its rules say', ({ file, rules }) => {
  const expected = rules.map(({ spec }) => `| \`${spec.key}\` | ${describeRule(spec)} | ${spec.annotations['description']} |`);
  expect(rowsUnder(`\`${file}\``)).toEqual(expected);
});

test('the defaults are the five of the installation', () => {
  expect(defaults.channels.map(({ key, kind }) => [key, kind])).toEqual([['default-inbox', 'inbox']]);
  expect(defaults.rules.map(({ spec }) => describeRule(spec))).toEqual([
    'Warning when p95 latency is above 1,000 ms over 15m (at least 10 samples).',
    'Critical when p95 latency is above 5,000 ms over 5m (at least 5 samples).',
    'Error when error rate is above 10 % over 10m (at least 10 samples).',
    'Warning when the average latency of generation is above 2 × its median at the same hour of the day in 7d, over 30m.',
    'Error when error rate of generation is above 15 % over 15m (at least 10 samples).',
  ]);
});

test('the image holds both folders', () => {
  const dockerfile = read('infra/Dockerfile');
  expect(dockerfile).toContain('COPY packs packs\n');
  expect(dockerfile).toContain('COPY config config\n');
});
