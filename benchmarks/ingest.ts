import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openEventStore } from '@tocsin/events';
import { createLogger, createMetrics, systemClock } from '@tocsin/runtime';
import postgres from 'postgres';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { cpuSeconds } from './lib/cpu-seconds.ts';
import { type App, startApp } from './lib/start-app.ts';
import type { Result } from './lib/result.ts';
import { seeded } from './lib/span-data.ts';

const EVENTS_PER_REQUEST = 1_000;
const EVENTS_PER_SMALL_REQUEST = 100;
const TENANTS = 8;
const CONNECTIONS = 16;
const SECONDS = 4;
const RUNS = 5;
const ADMIN_KEY = 'benchmark-admin-key-of-32-characters';
const DISTINCT_REQUESTS = 50;
const QUIET_MS = 10 * 60_000;

/** JSON events through the API's own process until they are committed, and what they take on disk. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-body-'));
  let running: App | null = null;
  try {
    const api = (running = await startApi(bench));
    const tenants = await Promise.all(Array.from({ length: TENANTS }, (_, at) => makeTenant(api.url, at)));
    const load = { keys: tenants.map(({ key }) => key), bodyFile: join(folder, 'events.json') };
    const large = await loads(bench, api, load, EVENTS_PER_REQUEST);
    const small = await loads(bench, api, load, EVENTS_PER_SMALL_REQUEST);
    const [fresh, compacted] = await storedBytes(bench, await makeTenant(api.url, TENANTS));
    return [
      ...figures('ingest', large, 400_000, EVENTS_PER_REQUEST),
      ...figures('ingest.small', small, 150_000, EVENTS_PER_SMALL_REQUEST),
      { name: 'ingest.bytes.fresh', unit: 'bytes an event', values: [fresh], atMost: 48, note: '4 dims and 5 measures' },
      { name: 'ingest.bytes.compacted', unit: 'bytes an event', values: [compacted], atMost: 25, note: 'the same events' },
    ];
  } finally {
    await running?.stop();
    await bench.discard();
    await rm(folder, { recursive: true });
  }
}

interface Loads {
  rates: number[];
  latencies: number[];
  apiMicros: number[];
  serverMicros: number[];
}

async function loads(
  { serverPid }: BenchDatabase,
  api: App,
  load: { keys: string[]; bodyFile: string },
  eventsPerRequest: number,
): Promise<Loads> {
  const measured: Loads = { rates: [], latencies: [], apiMicros: [], serverMicros: [] };
  for (let runAt = -1; runAt < RUNS; runAt++) {
    await writeFile(load.bodyFile, JSON.stringify({ events: events(Date.now(), runAt, eventsPerRequest) }));
    const before = [cpuSeconds(api.pid), cpuSeconds(serverPid)] as const;
    const sent = await sendLoad({ ...load, port: api.port, connections: CONNECTIONS, seconds: runAt < 0 ? 2 : SECONDS });
    if (sent.refused > 0) throw new Error(`${sent.refused} requests were refused:\n${api.output()}`);
    const stored = sent.accepted * eventsPerRequest;
    if (runAt < 0) continue;
    measured.rates.push(stored / sent.seconds);
    measured.apiMicros.push(((cpuSeconds(api.pid) - before[0]) / stored) * 1e6);
    measured.serverMicros.push(((cpuSeconds(serverPid) - before[1]) / stored) * 1e6);
    measured.latencies.push(sent.p50);
  }
  return measured;
}

function figures(name: string, { rates, latencies, apiMicros, serverMicros }: Loads, target: number, eventsPerRequest: number): Result[] {
  const note = `JSON, ${eventsPerRequest} events a request, ${CONNECTIONS} connections, ${TENANTS} tenants, durable`;
  return [
    { name: `${name}.rate`, unit: 'events/s', values: rates, target, note },
    { name: `${name}.latency`, unit: 'ms', values: latencies, note: `p50 of a request; ${note}` },
    { name: `${name}.cpu.api`, unit: 'µs an event', values: apiMicros, note },
    { name: `${name}.cpu.postgres`, unit: 'µs an event', values: serverMicros, note },
  ];
}

function startApi({ appUrl, queueUrl }: BenchDatabase): Promise<App> {
  return startApp('api', {
    TOCSIN_HOST: '127.0.0.1',
    TOCSIN_DATABASE_URL: appUrl,
    TOCSIN_QUEUE_URL: queueUrl,
    TOCSIN_SECRET_KEY: 'benchmark-secret-key-of-32-characters',
    TOCSIN_ADMIN_KEY: ADMIN_KEY,
  });
}

async function makeTenant(url: string, at: number): Promise<{ id: string; key: string }> {
  const { id } = await post<{ id: string }>(`${url}/api/v1/tenants`, { name: `Bench ${at}`, externalKey: `bench-${at}` });
  const { key } = await post<{ key: string }>(`${url}/api/v1/tenants/${id}/api-keys`, { name: 'bench', role: 'editor' });
  return { id, key };
}

async function post<T>(url: string, body: object): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function sendLoad(load: object): Promise<{ accepted: number; refused: number; seconds: number; p50: number; p99: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'lib/ingest-load.ts'), JSON.stringify(load)]);
  return JSON.parse(stdout) as Awaited<ReturnType<typeof sendLoad>>;
}

/** LLM calls of the last minute with 4 dims and 5 measures, with the digits a client would send. */
function events(nowMs: number, seed: number, count = EVENTS_PER_REQUEST): object[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, at) => ({
    ts: nowMs - 60_000 + at * 60,
    name: 'llm.call',
    dims: { operation: `op${at % 8}`, model: `model-${at % 6}`, status: at % 33 === 0 ? 'error' : 'ok', env: 'prod' },
    measures: {
      duration_ms: Number(Math.exp(5 + random() * 3).toFixed(2)),
      ttft_ms: Number(Math.exp(3 + random() * 3).toFixed(2)),
      cost: Number((random() / 100).toFixed(6)),
      input_tokens: Math.floor(random() * 2_000),
      output_tokens: Math.floor(random() * 800),
    },
  }));
}

/** What an event takes, fresh and compacted. No two requests are alike here: zstd would make little of the load's repeated ones. */
async function storedBytes({ db, adminUrl }: BenchDatabase, tenant: { id: string; key: string }): Promise<[number, number]> {
  let shiftMs = 0;
  const clock = { ...systemClock, now: () => Date.now() + shiftMs };
  const store = openEventStore({ db, logger: createLogger('bench', 'warn'), metrics: createMetrics('bench'), clock });
  const sql = postgres(adminUrl, { max: 1 });
  const perEvent = async (): Promise<number> => {
    const [row] = await sql<{ bytes: number }[]>`
      select sum(length(data))::float8 / sum(event_count) as bytes from tocsin.segments where tenant_id = ${tenant.id} and stream = 'events'`;
    return row!.bytes;
  };
  for (let request = 0; request < DISTINCT_REQUESTS; request++) await store.ingest(tenant.id, events(Date.now(), request));
  const fresh = await perEvent();
  shiftMs = QUIET_MS;
  await store.compact([tenant.id], new AbortController().signal);
  const compacted = await perEvent();
  await store.close();
  await sql.end();
  return [fresh, compacted];
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
