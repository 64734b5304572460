import { RULE_BOUNDS } from '@tocsin/domain';
import { CannotStart } from '@tocsin/runtime';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseDefaults, readDefaults } from './read-defaults.ts';

const SECRET = `whsec_${'a'.repeat(32)}`;

/** The file with a channel whose address is a variable, and a rule that tells it. */
const file = ({ config = "{ url: '${HOOK_URL}' }", condition = 'operator: >', more = '' } = {}): string => `version: 1
channels:
  - key: hook
    name: Hook
    kind: webhook
    config: ${config}
rules:
  - key: slow
    name: Slow
    condition:
      metric: latency
      window: 5m
      ${condition.replace('>', "'>'")}
      threshold: 1000
    notify: [hook]
${more}`;
const env = { HOOK_URL: 'https://hooks.example/hunter2', HOOK_SECRET: SECRET };
const refusal = (text: string, given: Record<string, string> = env): string => {
  try {
    parseDefaults(text, 'rules.yaml', given);
    return 'nothing is wrong with it';
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    return error.message;
  }
};

describe('the installation’s file', () => {
  test('gives channels whose addresses are filled in from the environment, and rules in canonical words', () => {
    const { channels, rules } = parseDefaults(file(), 'rules.yaml', env);
    expect(channels).toEqual([{ key: 'hook', name: 'Hook', kind: 'webhook', config: { url: env.HOOK_URL }, enabled: true }]);
    expect(rules).toMatchObject([
      { enabled: true, spec: { key: 'slow', severity: 'warning', notify: [{ channel: 'hook', minSeverity: 'info' }] } },
    ]);
  });

  test('is another one when its text, or an address that is filled in, is another', () => {
    const digests = [
      parseDefaults(file(), 'rules.yaml', env),
      parseDefaults(file({ more: '# a comment' }), 'rules.yaml', env),
      parseDefaults(file(), 'rules.yaml', { HOOK_URL: 'https://hooks.example/other' }),
      parseDefaults(file().replace('1000', '2000'), 'rules.yaml', env),
    ].map(({ digest }) => digest);
    expect(digests[1]).toBe(digests[0]);
    expect(new Set(digests).size).toBe(3);
  });

  test.each([
    ['a variable that is not set', file(), {}, 'rules.yaml, line 6, /channels/0/config/url: the variable HOOK_URL is not set'],
    [
      'a variable where no address is',
      file({ config: "{ url: 'https://a.example', secret: '${HOOK_SECRET}' }" }),
      env,
      'rules.yaml, line 6, /channels/0/config/secret: ${…} is filled in in addresses of channels alone; write it out',
    ],
    [
      'a variable in a rule',
      file().replace('name: Slow', "name: '${HOOK_URL}'"),
      env,
      'rules.yaml, line 9, /rules/0/name: ${…} is filled in in addresses of channels alone; write it out',
    ],
    [
      'a word that is misspelt',
      file({ condition: 'operater: >' }),
      env,
      "rules.yaml, line 13, /rules/0/condition/operater: Unknown field 'operater'. Did you mean 'operator'?",
    ],
    [
      'a field of the file that is none',
      file({ more: 'channel: []' }),
      env,
      "rules.yaml, line 16, /channel: Unknown field 'channel'. Did you mean 'channels'?",
    ],
    [
      'a channel that is not in it',
      file().replace('[hook]', '[hok]'),
      env,
      "rules.yaml, line 15, /rules/0/notify: there is no channel 'hok' in this file. Did you mean 'hook'?",
    ],
    ['what is not YAML', 'version: 1\nrules: [', env, 'rules.yaml, line 2: not YAML: '],
    ['a key that is given twice', 'version: 1\nversion: 1', env, 'rules.yaml, line 2: not YAML: Map keys must be unique'],
    ['another version', 'version: 2', env, 'rules.yaml, line 1, /version: Invalid input: expected 1'],
    ['nothing at all', '', env, 'rules.yaml, line 1: '],
  ])('with %s is refused by line, place and reason', (_, text, given, expected) => {
    expect(refusal(text, given)).toContain(expected);
  });

  test('of more rules than a tenant may have is refused, and not found out with the first new tenant', () => {
    const bounds = { rulesPerTenant: 1, rule: RULE_BOUNDS };
    const two = `${file()}  - { key: two, name: Two, condition: { window: 5m, operator: '>', threshold: 1 } }`;
    expect(() => parseDefaults(two, 'rules.yaml', env, bounds)).toThrow('rules.yaml, line 8, /rules: a tenant has at most 1 rules');
  });

  test('is told of all that is wrong with it at once, and no value of a variable', () => {
    const broken = file({ condition: 'operater: >' }).replace('kind: webhook', 'kind: webhok');
    expect(refusal(broken).split('\n').length).toBeGreaterThan(2);
    const odd = refusal(file(), { HOOK_URL: 'no address: hunter2' });
    expect(odd).toContain('/channels/0/config/url');
    expect(odd).not.toContain('hunter2');
  });
});

describe('TOCSIN_RULES_FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-rules-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('names a file, or none, and is that of the checkout where it is not set', () => {
    const path = join(folder, 'rules.yaml');
    writeFileSync(path, file());
    expect(readDefaults({ file: path, env })?.rules).toHaveLength(1);
    expect(readDefaults({ file: 'none', env })).toBeNull();
    expect(readDefaults({ file: undefined, env })?.rules).toHaveLength(5);
  });

  test('that names nothing stops the start by the variable’s name', () => {
    expect(() => readDefaults({ file: join(folder, 'nowhere.yaml'), env })).toThrow(
      /^TOCSIN_RULES_FILE names .*nowhere\.yaml, which cannot be read \(ENOENT\)$/,
    );
  });
});
