import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { documentedVariables } from './variables-page.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test?: string[] };
  depends_on?: Record<string, unknown>;
}

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
const ours = Object.entries(services).filter(([, { image }]) => image.startsWith('tocsin:'));
const page = documentedVariables();

test('each process has a service of its own', () => {
  expect(ours.map(([name]) => name).toSorted()).toEqual(['api', 'dispatcher', 'evaluator', 'migrate', 'scheduler']);
});

describe.each(ours)('%s', (name, { command = [], environment = {}, depends_on: dependsOn = {} }) => {
  test('starts a main that exists and that the image holds', () => {
    expect(command).toEqual(['node', `apps/${name}/src/main.ts`]);
    expect(existsSync(join(ROOT, command[1] ?? ''))).toBe(true);
    expect(readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8')).toContain('COPY apps apps\n');
  });

  test('is given every variable it needs and none it does not know', () => {
    const given = Object.keys(environment);
    const needed = page.filter(({ neededBy }) => neededBy.includes(name)).map((variable) => variable.name);
    const known = page.filter(({ neededBy, alsoReadBy }) => [...neededBy, ...alsoReadBy].includes(name)).map((variable) => variable.name);
    expect(needed.filter((variable) => !given.includes(variable))).toEqual([]);
    expect(given.filter((variable) => !known.includes(variable))).toEqual([]);
  });

  test('waits for what it cannot work without', () => {
    expect(Object.keys(dependsOn)).toEqual(name === 'migrate' ? ['postgres'] : ['migrate', 'redis']);
  });
});

test.each(ours.filter(([name]) => name !== 'migrate'))('%s is asked for its health where it listens', (_, { environment, healthcheck }) => {
  expect(environment?.['TOCSIN_HOST']).toBe('0.0.0.0');
  expect(healthcheck?.test?.at(-1)).toContain(`http://127.0.0.1:${environment?.['TOCSIN_PORT']}/readyz`);
});

test('Redis never evicts, which the boot would refuse', () => {
  const command = services['redis']?.command ?? [];
  expect(command[command.indexOf('--maxmemory-policy') + 1]).toBe('noeviction');
});

test('what has to be set is named where its user reads', () => {
  const wanted = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, variable = '']) => variable));
  const [usage = ''] = text.split('\n\n');
  for (const variable of wanted) expect(usage).toContain(`${variable}=`);
});
