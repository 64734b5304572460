import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparison, draft, specOf } from '../test/a-rule.ts';
import { parseRule } from './parse-rule.ts';
import { RuleSpec } from './rule-spec.ts';

/** What is wrong with a rule, as `pointer code`. */
const complaints = (input: unknown): string[] => {
  const parsed = parseRule(input);
  return parsed.ok ? [] : parsed.issues.map(({ pointer, code }) => `${pointer} ${code}`);
};

const messages = (input: unknown): string => {
  const parsed = parseRule(input);
  return parsed.ok ? '' : parsed.issues.map(({ message }) => message).join('\n');
};

describe('a rule as people write it', () => {
  test('is stored with every default filled in', () => {
    expect(specOf({ name: 'Checkout p95 (EU)', condition: comparison() })).toEqual({
      key: 'checkout-p95-eu',
      name: 'Checkout p95 (EU)',
      severity: 'warning',
      condition: { metric: 'latency', aggregation: 'p95', window: '5m', operator: '>', threshold: 1_000, minSamples: 1 },
      groupBy: [],
      for: '0s',
      keepFiringFor: '0s',
      cooldown: '60m',
      evaluationDelay: '10s',
      newSeriesGrace: '60s',
      flapping: { changes: 6, within: '30m' },
      maxOpenAlerts: 1_000,
      maxSeries: 1_000,
      mode: 'live',
      evaluate: 'schedule',
      noData: 'keep',
      onError: 'keep',
      notify: [],
      labels: {},
      annotations: {},
    });
  });

  test('of the design page is stored as it stands', () => {
    const rule = {
      key: 'checkout-p95',
      name: 'Checkout latency',
      severity: 'critical',
      condition: {
        all: [
          {
            metric: 'latency',
            aggregation: 'p95',
            where: { env: 'prod', model: 'gpt-4o' },
            window: '15m',
            operator: '>',
            threshold: 2_500,
            recover: 2_000,
            minSamples: 10,
          },
          { not: { metric: 'error_rate', window: '5m', operator: '<', threshold: 1 } },
        ],
      },
      groupBy: ['operation'],
      every: '1m',
      for: '2m',
      keepFiringFor: '2m',
      cooldown: '60m',
      evaluationDelay: '10s',
      noData: 'keep',
      onError: 'keep',
      notify: [
        { channel: 'slack-prod', minSeverity: 'warning' },
        { channel: 'pagerduty', minSeverity: 'critical' },
      ],
      remindEvery: '4h',
      labels: { team: 'payments' },
      annotations: { summary: 'p95 is {{ value }} on {{ series.operation }}', runbookUrl: 'https://wiki.example/runbook' },
    };
    const spec = specOf(rule);
    expect(spec).toMatchObject(rule);
    expect(RuleSpec.parse(spec)).toEqual(spec);
  });

  test('once stored reads back as itself', () => {
    const spec = specOf(
      draft({
        groupBy: ['operation'],
        condition: { any: [comparison({ recover: 900, where: { env: ['a', 'b'] } }), { not: comparison({ groupBy: [] }) }] },
      }),
    );
    expect(specOf(spec)).toEqual(spec);
  });

  test.each([
    [{ evaluate: 'arrival' }, '0s'],
    [{ evaluate: 'arrival', evaluationDelay: '5s' }, '5s'],
    [{ evaluate: 'schedule' }, '10s'],
  ])('%j waits for late events for %s', (said, evaluationDelay) => {
    expect(specOf(draft(said))).toMatchObject({ ...said, evaluationDelay });
    expect(complaints(draft({ ...said, evaluate: 'sometimes' }))).toEqual(['/evaluate invalid_value']);
  });

  test.each([
    [true, true],
    [false, false],
  ])('enabled: %s is kept beside it', (said, enabled) => {
    expect(parseRule(draft({ enabled: said }))).toMatchObject({ ok: true, enabled });
    expect(specOf(draft({ enabled: said }))).not.toHaveProperty('enabled');
  });

  test('that says nothing of being enabled leaves it open', () => {
    expect(parseRule(draft())).toMatchObject({ enabled: null });
  });

  test.each([
    ['Checkout p95 (EU)', 'checkout-p95-eu'],
    ['Größe über 5', 'gro-e-uber-5'],
    ['  --x--  ', 'x'],
    ['報警', 'rule'],
    ['🔔', 'rule'],
    ['a'.repeat(200), 'a'.repeat(100)],
  ])('named %j gets the key %j', (name, key) => {
    expect(specOf({ name, condition: comparison() }).key).toBe(key);
  });
});

describe('words of other systems', () => {
  test.each([
    ['gt', '>'],
    ['greater_than', '>'],
    ['GREATER THAN', '>'],
    ['above', '>'],
    ['gte', '>='],
    ['>=', '>='],
    ['lt', '<'],
    ['less-than', '<'],
    ['lte', '<='],
    ['=', '=='],
    ['==', '=='],
    ['eq', '=='],
    ['equals', '=='],
    ['!=', '!='],
    ['<>', '!='],
    ['ne', '!='],
    ['not_equal', '!='],
  ])('operator %s is %s', (word, operator) => {
    expect(specOf(draft({ condition: comparison({ operator: word }) })).condition).toMatchObject({ operator });
  });

  test.each([
    ['low', 'info'],
    ['medium', 'warning'],
    ['high', 'error'],
    ['critical', 'critical'],
    ['WARN', 'warning'],
    ['P1', 'critical'],
  ])('severity %s is %s', (word, severity) => {
    expect(specOf(draft({ severity: word })).severity).toBe(severity);
  });

  test.each([
    ['average', 'avg'],
    ['mean', 'avg'],
    ['median', 'p50'],
    ['maximum', 'max'],
    ['P99', 'p99'],
    ['count_distinct', 'distinct'],
  ])('aggregation %s is %s', (word, aggregation) => {
    expect(specOf(draft({ condition: comparison({ aggregation: word }) })).condition).toMatchObject({ aggregation });
  });

  test('status success is ok, wherever a value stands', () => {
    const where = { status: ['success', 'timeout'], other: 'success' };
    expect(specOf(draft({ condition: comparison({ where }) })).condition).toMatchObject({
      where: { status: ['ok', 'timeout'], other: 'success' },
    });
    expect(specOf(draft({ condition: comparison({ where: { status: { not: 'success' } } }) })).condition).toMatchObject({
      where: { status: { not: 'ok' } },
    });
  });

  test('a channel may be named alone', () => {
    expect(specOf(draft({ notify: ['slack-prod'] })).notify).toEqual([{ channel: 'slack-prod', minSeverity: 'info' }]);
  });
});

describe('a rule that is none', () => {
  test.each<[string, unknown, string[]]>([
    ['null', null, [' invalid_type']],
    ['a list', [], [' invalid_type']],
    ['text', 'rule', [' invalid_type']],
    ['nothing at all', {}, ['/name required', '/condition required']],
    ['an empty name', draft({ name: '  ' }), ['/name empty']],
    ['a name with a control character', draft({ name: 'a\u0007b' }), ['/name invalid_value']],
    ['a name of 201 characters', draft({ name: 'a'.repeat(201) }), ['/name out_of_range']],
    ['a key with capitals', draft({ key: 'Checkout' }), ['/key invalid_value']],
    ['an unknown field', draft({ colour: 'red' }), ['/colour unknown_field']],
    ['an unknown severity', draft({ severity: 'awful' }), ['/severity invalid_value']],
    ['a severity that is a number', draft({ severity: 3 }), ['/severity invalid_type']],
    ['enabled that is text', draft({ enabled: 'true' }), ['/enabled invalid_type']],
    ['a duration that is a number of seconds', draft({ for: 120 }), ['/for invalid_type']],
    ['a duration that is none', draft({ cooldown: 'an hour' }), ['/cooldown invalid_value']],
    ['a negative duration', draft({ for: '-5m' }), ['/for invalid_value']],
    ['every below 10 s', draft({ every: '9s' }), ['/every out_of_range']],
    ['every above 24 h', draft({ every: '25h' }), ['/every out_of_range']],
    ['every of zero', draft({ every: '0s' }), ['/every out_of_range']],
    ['an evaluation delay above an hour', draft({ evaluationDelay: '2h' }), ['/evaluationDelay out_of_range']],
    ['an evaluation delay that is no duration and not auto', draft({ evaluationDelay: 'Auto' }), ['/evaluationDelay invalid_value']],
    ['reminders every second', draft({ remindEvery: '1s' }), ['/remindEvery out_of_range']],
    ['an unknown noData', draft({ noData: 'zero' }), ['/noData invalid_value']],
    ['onError ok', draft({ onError: 'ok' }), ['/onError invalid_value']],
    ['a channel named twice', draft({ notify: ['a', { channel: 'a' }] }), ['/notify/1 duplicate']],
    ['a channel without key', draft({ notify: [{ minSeverity: 'info' }] }), ['/notify/0/channel required']],
    ['a dimension named twice', draft({ groupBy: ['env', 'env'] }), ['/groupBy/1 duplicate']],
    ['a dimension that is a number', draft({ groupBy: [5] }), ['/groupBy/0 invalid_type']],
    ['nine dimensions', draft({ groupBy: Array.from('abcdefghi') }), ['/groupBy too_many']],
    ['a label that is an object', draft({ labels: { team: {} } }), ['/labels/team invalid_type']],
    ['a runbook at javascript:', draft({ annotations: { runbookUrl: 'javascript:alert(1)' } }), ['/annotations/runbookUrl invalid_value']],
    ['an annotation beyond 4 KiB', draft({ annotations: { summary: 'a'.repeat(4_097) } }), ['/annotations/summary out_of_range']],
    ['two of everything', draft({ name: '', every: 5, nam: 1 }), ['/nam unknown_field', '/name empty', '/every invalid_type']],
    ['a pointer that needs escaping', draft({ 'a/b~c': 1 }), ['/a~1b~0c unknown_field']],
  ])('%s', (_what, input, expected) => {
    expect(complaints(input)).toEqual(expected);
  });

  test.each([
    [draft({ sevrity: 'info' }), "Did you mean 'severity'?"],
    [draft({ group_by: [] }), "Did you mean 'groupBy'?"],
    [draft({ channels: [] }), "Did you mean 'notify'?"],
    [draft({ severity: 'critcal' }), "Did you mean 'critical'?"],
    [draft({ condition: comparison({ metric: 'latencyy' }) }), "Did you mean 'latency'?"],
    [draft({ condition: comparison({ aggregation: 'p96' }) }), "Did you mean 'p90'?"],
    [draft({ condition: comparison({ op: '>' }) }), "Did you mean 'operator'?"],
    [draft({ condition: comparison({ where: { model: { prefx: 'gpt' } } }) }), "Did you mean 'prefix'?"],
    [draft({ condition: comparison({ metric: 'throughput', unit: 'per_hour' }) }), "Did you mean 'perHour'?"],
  ])('%# names the nearest known word', (input, hint) => {
    expect(messages(input)).toContain(hint);
  });

  test.each([
    ['{"name":"x","__proto__":{"role":"admin"}}', '/__proto__ forbidden_key'],
    ['{"name":"x","constructor":{}}', '/constructor forbidden_key'],
    ['{"name":"x","labels":{"__proto__":"y"}}', '/labels/__proto__ forbidden_key'],
    ['{"name":"x","labels":{" __proto__":"y"}}', '/labels/ __proto__ forbidden_key'],
    ['{"name":"x","labels":{"team":"y","team ":"z"}}', '/labels/team  duplicate'],
    ['{"name":"x","groupBy":["__proto__"]}', '/groupBy/0 forbidden_key'],
    [
      '{"name":"x","condition":{"window":"5m","operator":">","threshold":1,"where":{"__proto__":{"not":"y"}}}}',
      '/condition/where/__proto__ forbidden_key',
    ],
    ['{"name":"x","condition":{"__proto__":{},"all":[]}}', '/condition/__proto__ forbidden_key'],
  ])('%s', (text, expected) => {
    expect(complaints(JSON.parse(text))).toContain(expected);
    expect(({} as Record<string, unknown>)['role']).toBeUndefined();
  });

  test('what people wrote is shown shortened and without control characters', () => {
    const text = messages(draft({ severity: `\u001b[31m\u202e${'x'.repeat(10_000)}` }));
    expect(text.length).toBeLessThan(300);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test('has at most fifty complaints', () => {
    expect(complaints(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 1])))).toHaveLength(50);
  });

  test('of any shape is answered, never thrown at', () => {
    const anything = fc.anything({
      withNullPrototype: true,
      maxDepth: 6,
      key: fc.constantFrom('name', 'condition', 'all', 'any', 'not', 'where', 'metric', '__proto__', 'x'),
    });
    fc.assert(
      fc.property(anything, (input) => {
        const parsed = parseRule(input);
        if (!parsed.ok) expect(parsed.issues.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
