import { startPostgres } from '@tocsin/embedded-postgres';
import { freePort } from '@tocsin/testkit';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, processTree, treeCpuSeconds, type TreeProcess } from './lib/process-tree.ts';
import { untilReady } from './lib/start-app.ts';
import { type Started, startProcess } from './lib/start-process.ts';
import type { Result } from './lib/result.ts';

const ROOT = join(import.meta.dirname, '..');
const BOOTS = 5;
const SETTLE_MS = 30_000;
const WINDOWS = 5;
const WINDOW_MS = 12_000;
const STOP_TIMEOUT_MS = 30_000;
const MB = 1_024 * 1_024;

/** What `npm start` takes when nothing happens: boot, memory, CPU, stop. */
export async function run(): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-idle-'));
  const boots: number[] = [];
  const stops: number[] = [];
  try {
    // The first start makes the database: that is not a warm one.
    let tocsin = (await start(folder)).tocsin;
    for (let boot = 0; boot < BOOTS; boot++) {
      stops.push(await stopSeconds(tocsin));
      const started = await start(folder);
      tocsin = started.tocsin;
      boots.push(started.seconds);
    }
    const idle = await watch(tocsin.pid).finally(() => stopSeconds(tocsin));
    const ofPart = (part: Part): number[] => idle.map(({ memory }) => memory[part]);
    const taken = `npm start, no events and no rules, ${SETTLE_MS / 1_000} s after its boot`;
    return [
      { name: 'idle.boot', unit: 's', values: boots, atMost: 5, note: 'npm start on files that are there, until /readyz answers 200' },
      { name: 'idle.stop', unit: 's', values: stops, atMost: 10, note: 'from Ctrl-C until the last process is gone' },
      { name: 'idle.cpu', unit: '% of a core', values: idle.map(({ cpu }) => cpu * 100), atMost: 2, note: `all processes; ${taken}` },
      {
        name: 'idle.memory',
        unit: 'MB',
        values: idle.map(({ memory }) => sum(Object.values(memory))),
        atMost: 400,
        note: `PSS of all processes; ${taken}`,
      },
      { name: 'idle.memory.tocsin', unit: 'MB', values: ofPart('tocsin'), note: 'its Node process' },
      { name: 'idle.memory.postgres', unit: 'MB', values: ofPart('postgres'), note: 'all processes of PostgreSQL' },
      { name: 'idle.memory.npm', unit: 'MB', values: ofPart('npm'), note: 'npm, its shell and the bootstrap, which wait' },
    ];
  } finally {
    await removeDatabase(join(folder, 'postgres'));
    await rm(folder, { recursive: true, force: true });
  }
}

async function start(dataDir: string): Promise<{ tocsin: Started; seconds: number }> {
  const port = await freePort();
  const env = { ...process.env, TOCSIN_DATA_DIR: dataDir, TOCSIN_PORT: String(port), TOCSIN_HOST: '127.0.0.1' };
  const startedMs = performance.now();
  const tocsin = startProcess('npm', ['start'], { cwd: ROOT, env, detached: true });
  await untilReady(`http://127.0.0.1:${port}`, tocsin);
  return { tocsin, seconds: (performance.now() - startedMs) / 1_000 };
}

/** Until the last of its processes is gone: npm is the first. */
async function stopSeconds({ pid, stop }: Started): Promise<number> {
  const all = processTree(pid).map((each) => each.pid);
  const startedMs = performance.now();
  await stop();
  while (all.some(isRunning)) {
    if (performance.now() - startedMs > STOP_TIMEOUT_MS) throw new Error('it does not stop');
    await sleep(10);
  }
  return (performance.now() - startedMs) / 1_000;
}

type Part = 'tocsin' | 'postgres' | 'npm';

async function watch(pid: number): Promise<{ cpu: number; memory: Record<Part, number> }[]> {
  await sleep(SETTLE_MS);
  const windows = [];
  for (let window = 0; window < WINDOWS; window++) {
    const [before, startedMs] = [treeCpuSeconds(pid), performance.now()];
    await sleep(WINDOW_MS);
    const cpu = (treeCpuSeconds(pid) - before) / ((performance.now() - startedMs) / 1_000);
    const memory = { tocsin: 0, postgres: 0, npm: 0 };
    for (const each of processTree(pid)) memory[partOf(each)] += each.pssBytes / MB;
    windows.push({ cpu, memory });
  }
  return windows;
}

function partOf({ command }: TreeProcess): Part {
  if (/^postgres:|\/postgres /.test(command)) return 'postgres';
  return command.includes('end-with-parent') ? 'tocsin' : 'npm';
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Where PostgreSQL cannot run as root its files are not in the folder, and its launcher alone knows where. */
async function removeDatabase(dataDir: string): Promise<void> {
  const server = await startPostgres({ dataDir });
  await server.discard();
  await rm(server.dir, { recursive: true, force: true });
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
