// `npm run soak [-- <minutes>]`: every process under steady load, and how fast the memory of each grows. Not among `npm run bench`: it takes half an hour.
import { redisServer } from '@tocsin/testkit';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestServers } from '../tooling/test-servers/start-test-servers.ts';
import type { Fleet } from '../infra/chaos/fleet.ts';
import { runStorm } from '../infra/chaos/storm.ts';
import { processTree, treeCpuSeconds } from './lib/process-tree.ts';
import { megabytes, type Sample, slopePerHour } from './lib/slope.ts';

const MINUTE_MS = 60_000;
const SAMPLE_MS = 10_000;
/** What is left out: it warms caches and code. */
const WARMING_SHARE = 1 / 3;
const TENANTS = 2;

const minutes = Number(process.argv[2] ?? 30);
const servers = await startTestServers(console.error);
Object.assign(process.env, servers.env);
const folder = mkdtempSync(join(tmpdir(), 'tocsin-soak-'));
const redis = await redisServer();
const heapFile = (member: string): string => join(folder, `${member}.jsonl`);
const resident = new Map<string, Sample[]>();
const cached = new Map<string, number>();
let cpuCores = 0;
let steady: readonly [fromMs: number, toMs: number] = [0, 0];
const isSteady = ({ atMs }: Sample): boolean => atMs >= steady[0] && atMs <= steady[1];

const report = await runStorm({
  queues: { url: redis.url },
  seed: 1,
  tenants: TENANTS,
  envOf: (member) => ({
    NODE_OPTIONS: `--import=${join(import.meta.dirname, 'lib/tell-heap.ts')}`,
    TOCSIN_TEST_HEAP_FILE: heapFile(member),
  }),
  trouble: ({ fleet }) => sample(fleet, minutes * MINUTE_MS),
});

const growth = [...resident].map(([name, samples]) => {
  const live = existsSync(heapFile(name)) ? readSamples(heapFile(name)).filter(isSteady) : [];
  return {
    process: name,
    pssMB: megabytes(samples.at(-1)?.bytes ?? 0),
    pssMBperHour: round(slopePerHour(samples.filter(isSteady))),
    liveMB: megabytes(live.at(-1)?.bytes ?? 0),
    // What of it is kept segments, of which an evaluator may have 512 MB.
    cacheMB: megabytes(cached.get(name) ?? 0),
    liveMBperHour: round(slopePerHour(live)),
  };
});
console.table(growth);
console.log(JSON.stringify({ minutes, cpuCores: round(cpuCores), report, growth }, null, 2));
await redis.close();
await servers.stop();
rmSync(folder, { recursive: true });
process.exit(report.broken.length === 0 ? 0 : 1);

async function sample({ members }: Fleet, forMs: number): Promise<void> {
  const fromMs = Date.now();
  const cpu = (): number => members.reduce((sum, { process }) => sum + (process === null ? 0 : treeCpuSeconds(process.pid)), 0);
  const [startedMs, cpuBefore] = [performance.now(), cpu()];
  while (performance.now() - startedMs < forMs) {
    await sleep(SAMPLE_MS);
    for (const { name, process } of members) {
      const [own] = process === null ? [] : processTree(process.pid);
      if (own !== undefined) resident.set(name, [...(resident.get(name) ?? []), { atMs: Date.now(), bytes: own.pssBytes }]);
    }
  }
  for (const { name, process } of members) if (process !== null) cached.set(name, await cacheBytes(process.url));
  steady = [fromMs + forMs * WARMING_SHARE, Date.now()];
  cpuCores = (cpu() - cpuBefore) / ((performance.now() - startedMs) / 1_000);
}

async function cacheBytes(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^tocsin_segment_cache_bytes\S* (\S+)$/m.exec(metrics)?.[1] ?? 0);
}

function readSamples(file: string): Sample[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Sample);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
