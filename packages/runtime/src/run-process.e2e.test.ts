import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../test/process.ts');
const KEY = { TOCSIN_SECRET_KEY: 'k'.repeat(32) };

const start = (what: string, env: Record<string, string> = KEY) => {
  const child = spawn(process.execPath, [PROGRAM, what], {
    env: { PATH: process.env['PATH'], TOCSIN_LOG_LEVEL: 'fatal', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const closed = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    output,
    errors,
  }));
  return { child, closed, up: () => vi.waitFor(() => expect(output).toContain('up\n'), 10_000) };
};

describe('a process', () => {
  test('without its variables exits 1 and names each of them, and starts nothing', async () => {
    const { code, output, errors } = await start('serve', { TOCSIN_PORT: 'eighty' }).closed;
    expect({ code, output, errors }).toEqual({
      code: 1,
      output: '',
      errors: 'TOCSIN_SECRET_KEY is missing\nTOCSIN_PORT is not valid: a port number\n',
    });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s unwinds what was started, last first, and exits 0', async (signal) => {
    const { child, closed, up } = start('serve');
    await up();
    child.kill(signal);
    expect(await closed).toMatchObject({ code: 0, output: 'port 8080\nup\ntold to stop\nsecond ended\nfirst ended\n' });
  });

  test('a second signal ends it at once', async () => {
    const { child, closed, up } = start('hang');
    await up();
    child.kill('SIGTERM');
    await vi.waitFor(() => child.kill('SIGINT') && expect(child.exitCode).not.toBeNull(), 45_000);
    expect((await closed).code).toBe(130);
  });

  test('one that finishes by itself exits 0', async () => {
    expect(await start('finish').closed).toMatchObject({ code: 0, output: expect.stringContaining('first ended') });
  });

  test('one that cannot start ends what it had started and exits 1', async () => {
    expect(await start('fail').closed).toMatchObject({ code: 1, output: expect.stringContaining('second ended\nfirst ended') });
  });

  test('a reason that whoever started it can mend is told as it is, and ends what was started as well', async () => {
    const { code, output, errors } = await start('refuse').closed;
    expect({ code, errors }).toEqual({ code: 1, errors: 'The disk is full: free some space.\n' });
    expect(output).not.toContain('"level"');
    expect(output).toContain('second ended\nfirst ended');
  });

  test('tells of a variable that nothing reads, and starts', async () => {
    expect(await start('finish', { ...KEY, TOCSIN_PROT: '80' }).closed).toMatchObject({
      code: 0,
      errors: 'TOCSIN_PROT is set, but nothing reads it. Did you mean TOCSIN_PORT?\n',
    });
  });

  test('an uncaught error is logged, ends what was started and exits 1', async () => {
    const { code, output } = await start('crash').closed;
    expect(code).toBe(1);
    expect(output).toMatch(/"level":"fatal".*"message":"a bug"/);
    expect(output).toContain('first ended');
  });

  test('dies by SIGKILL at the fault point named, at the passage named, and only in tests', async () => {
    expect(await start('fault', { ...KEY, NODE_ENV: 'test', TOCSIN_FAULT_POINT: 'here' }).closed).toMatchObject({
      signal: 'SIGKILL',
      output: 'port 8080\npast elsewhere\n',
    });
    expect((await start('fault', { ...KEY, NODE_ENV: 'test', TOCSIN_FAULT_POINT: 'here:3' }).closed).output).toContain('past here 2\n');
    expect(await start('fault', { ...KEY, NODE_ENV: 'production', TOCSIN_FAULT_POINT: 'here' }).closed).toMatchObject({
      code: 0,
      signal: null,
    });
    expect(await start('fault', KEY).closed).toMatchObject({ code: 0, output: expect.stringContaining('past here 3') });
  });
});
