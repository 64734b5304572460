import { startTocsin } from '@tocsin/testkit';
import { variables } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { documentedVariables } from './variables-page.ts';

const PROCESSES = ['migrate', 'api', 'scheduler', 'evaluator', 'dispatcher', 'standalone'];
const LOG_LEVEL = 'TOCSIN_LOG_LEVEL';
const page = documentedVariables();

const nameOf = (key: string): string => `TOCSIN_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
/** Whatever a process might read: what the page names and what processes share. */
const candidates = [...new Set([...page.map(({ name }) => name), ...Object.keys(variables).map(nameOf)])].filter(
  (name) => name !== LOG_LEVEL,
);
const unreadable = Object.fromEntries(candidates.map((name) => [`${name}_FILE`, '/nowhere/at-all']));

test('every process that is documented reads something, and no other is', () => {
  expect([...new Set(page.flatMap(({ neededBy, alsoReadBy }) => [...neededBy, ...alsoReadBy]))].toSorted()).toEqual(PROCESSES.toSorted());
});

test.each(PROCESSES)('%s reads the variables that docs/operating.md says it reads', async (app) => {
  const told = await complaintsOf(app, { ...unreadable, TOCSIN_PORT: '' });
  const documented = page.filter(({ neededBy, alsoReadBy }) => [...neededBy, ...alsoReadBy].includes(app)).map(({ name }) => name);
  expect(told).toEqual(documented.filter((name) => name !== LOG_LEVEL).toSorted());
});

// The standalone needs nothing, so that it would start.
test.each(PROCESSES.filter((app) => app !== 'standalone'))(
  '%s does not start without what it needs, and needs nothing else',
  async (app) => {
    const told = await complaintsOf(app, { TOCSIN_PORT: '' });
    expect(told).toEqual(page.flatMap(({ name, neededBy }) => (neededBy.includes(app) ? [name] : [])).toSorted());
  },
);

/** The variables that a process names when it refuses to start. */
async function complaintsOf(app: string, env: Record<string, string>): Promise<string[]> {
  const refused = await startTocsin(app, env);
  expect(await refused.exited, refused.output()).toBe(1);
  expect(refused.output()).not.toContain('nothing reads it');
  const told = refused.output().matchAll(/^(TOCSIN_\w+?)(?:_FILE)? (?:is missing|cannot be read)/gm);
  return [...new Set([...told].map(([, name = '']) => name))].toSorted();
}
