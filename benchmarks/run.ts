// `npm run bench`: measures what is claimed, on servers of its own, and writes the figures down. `npm run bench -- latency idle`: those alone.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { atEnd } from './lib/at-end.ts';
import { describeMachine } from './lib/machine.ts';
import { type Measured, record } from './lib/record.ts';
import type { Result } from './lib/result.ts';

const RESULTS = join(import.meta.dirname, 'results.json');
const README = join(import.meta.dirname, 'README.md');
const FORMAT = join(import.meta.dirname, '../node_modules/.bin/oxfmt');
const BENCHMARKS = ['ingest', 'evaluate', 'range', 'preview', 'hours', 'thresholds', 'pipeline', 'arrival', 'latency', 'dispatch', 'idle'];
const TIMEOUT_MS = 6 * 60_000;

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !BENCHMARKS.includes(name));
if (unknown !== undefined) {
  console.error(`No benchmark is named ${unknown}. There are: ${BENCHMARKS.join(', ')}.`);
  process.exit(1);
}

const machine = await describeMachine();
const failed: string[] = [];
for (const benchmark of BENCHMARKS.filter((name) => asked.length === 0 || asked.includes(name))) {
  try {
    console.error(`${benchmark} …`);
    const measured = await measure(benchmark);
    record({ machine, measured: [measured] }, BENCHMARKS, RESULTS, README);
    console.error(`${benchmark}: ${Math.round(measured.seconds)} s`);
  } catch (error) {
    failed.push(benchmark);
    console.error(error);
  }
}
execFileSync(FORMAT, [RESULTS], { stdio: 'ignore' });
if (failed.length > 0) console.error(`not measured: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Each in a process of its own, so that none inherits the other's heap. */
async function measure(benchmark: string): Promise<Measured> {
  const startedMs = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, `${benchmark}.ts`)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close') as Promise<[number | null]>;
  const stop = atEnd(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  const late = setTimeout(() => void stop(), TIMEOUT_MS);
  const [code] = await closed;
  clearTimeout(late);
  await stop();
  if (code !== 0) throw new Error(`${benchmark} ended with ${code}`);
  const seconds = (performance.now() - startedMs) / 1_000;
  return { benchmark, at: new Date().toISOString(), seconds, results: JSON.parse(output) as Result[] };
}
