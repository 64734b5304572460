import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { channels, configSchema, secretFields } from './index.ts';

describe.each(channels)('the schema of $kind', (channel) => {
  const schema = configSchema(channel) as {
    type: string;
    properties: Record<string, Record<string, unknown>>;
    additionalProperties: boolean;
  };

  test('is one of an object that takes nothing else, and JSON', () => {
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });

  test('names every field for people', () => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) expect([name, typeof field['title']]).toEqual([name, 'string']);
  });

  test('marks what is secret, and gives none away', () => {
    const marked = Object.entries(schema.properties ?? {}).filter(([, field]) => field['secret'] === true);
    expect(marked.map(([name]) => name).sort()).toEqual(secretFields(channel).sort());
    for (const [, field] of marked) expect(field).not.toHaveProperty('default');
  });
});

test('docs/channels.md has a row and an example for each kind, and the examples are taken', () => {
  const page = readFileSync(new URL('../../../docs/channels.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| \[`([a-z-]+)`\]/gm)].map(([, kind]) => kind);
  expect(rows.sort()).toEqual(channels.map(({ kind }) => kind).sort());
  for (const { kind, config } of channels) {
    const [, text] = new RegExp(String.raw`(\{ "kind": "${kind}".*\})`).exec(page) ?? [];
    const { config: given = {} } = JSON.parse((text ?? '').replaceAll('…', 'x')) as { config?: Record<string, unknown> };
    expect(Object.keys(config.shape)).toEqual(expect.arrayContaining(Object.keys(given)));
  }
});

test('of e-mail asks for recipients', () => {
  const email = channels.find(({ kind }) => kind === 'email')!;
  expect(configSchema(email)).toMatchObject({
    required: ['to'],
    properties: { to: { type: 'array', maxItems: 50 }, smtpPassword: { secret: true } },
  });
});
