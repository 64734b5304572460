import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a server started for a test run does not outlive it, even when the run is killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-bound-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const runner = join(dir, 'runner.mjs');
  writeFileSync(
    runner,
    `import { spawnBound } from ${JSON.stringify(join(import.meta.dirname, 'spawn-bound.ts'))};
     const server = spawnBound('/bin/sh', ['-c', 'echo $$; exec sleep 600']);
     const report = setInterval(() => { if (server.lastWords()) { process.send(Number(server.lastWords())); clearInterval(report); } }, 10);
     setInterval(() => {}, 60_000);`,
  );
  const run = fork(runner);
  const [server] = (await once(run, 'message')) as [number];
  expect(isAlive(server)).toBe(true);
  run.kill('SIGKILL');
  await vi.waitUntil(() => !isAlive(server), { timeout: 10_000 });
});
