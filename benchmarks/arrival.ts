import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, newTenant } from '@tocsin/testkit';
import { benchDatabase, type BenchDatabase } from './lib/bench-database.ts';
import { SECRET_KEY } from './lib/latency-channels.ts';
import { onEachQueue } from './lib/on-each-queue.ts';
import { quantileOf } from './lib/quantile-of.ts';
import { startApp, type App } from './lib/start-app.ts';
import { startDispatcher } from './lib/start-dispatcher.ts';
import { timedReceiver, type TimedReceiver } from './lib/timed-receiver.ts';
import type { Result } from './lib/result.ts';

const TENANTS = 8;
const POSTS_PER_SECOND = 4;
const SECONDS = 8;
const RUNS = 5;
const WARM_UP_SECONDS = 3;
const ARRIVE_MS = 10_000;
const TARGET_P95_MS = 1_000;
const QUANTILES = { p50: 0.5, p95: 0.95, p99: 0.99 };
const ADMIN_KEY = 'benchmark-admin-key-of-32-characters';

/** From a request with an event to the request at a webhook: stored, looked at by a rule that is evaluated on arrival, told. No process claims slots. */
export async function run(): Promise<Result[]> {
  const bench = await benchDatabase();
  const receiver = await timedReceiver();
  const results: Result[] = [];
  try {
    await onEachQueue(bench, async ({ backend, url }) => {
      const apps = await startAll(bench, url);
      try {
        const names = Array.from({ length: TENANTS }, (_, at) => `${backend}-${at}`);
        const scene = { receiver, tenants: await Promise.all(names.map((name) => makeTenant(apps[0]!.url, name, receiver.url))) };
        await post(scene, 0, WARM_UP_SECONDS);
        const runs: number[][] = [];
        for (let at = 1; at <= RUNS; at++) runs.push(await post(scene, at, SECONDS));
        for (const [name, share] of Object.entries(QUANTILES)) {
          results.push({
            name: `arrival.${backend}.${name}`,
            unit: 'ms',
            values: runs.map((took) => quantileOf(took, share)),
            ...(name === 'p95' ? { atMost: TARGET_P95_MS } : {}),
            note: `POST sent to webhook received, ${POSTS_PER_SECOND} posts/s, each tenant every ${TENANTS / POSTS_PER_SECOND} s, queue on ${backend}`,
          });
        }
      } finally {
        await Promise.all(apps.map((app) => app.stop()));
      }
    });
    return results;
  } finally {
    await receiver.close();
    await bench.discard();
  }
}

async function startAll(bench: BenchDatabase, queueUrl: string): Promise<App[]> {
  const env = { TOCSIN_DATABASE_URL: bench.appUrl, TOCSIN_QUEUE_URL: queueUrl };
  const door = { TOCSIN_SECRET_KEY: SECRET_KEY, TOCSIN_ALLOW_HTTP: 'true', TOCSIN_ALLOW_CIDRS: '127.0.0.0/8' };
  const starting = await Promise.allSettled([
    startApp('api', { ...env, ...door, TOCSIN_HOST: '127.0.0.1', TOCSIN_ADMIN_KEY: ADMIN_KEY }),
    startApp('evaluator', env),
    startDispatcher(bench, queueUrl),
  ]);
  const apps = starting.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = starting.find((each) => each.status === 'rejected');
  if (failed === undefined) return apps;
  await Promise.all(apps.map((app) => app.stop()));
  throw failed.reason;
}

async function makeTenant(url: string, name: string, receiverUrl: string): Promise<ApiClient> {
  const { api } = await newTenant(url, ADMIN_KEY, name);
  await api.post('/api/v1/channels', { key: 'hook', name: 'Hook', kind: 'webhook', grouping: false, config: { url: receiverUrl } });
  await api.post('/api/v1/rules', {
    name: 'Open issues',
    groupBy: ['post'],
    every: '24h',
    evaluate: 'arrival',
    condition: { name: 'board', measure: 'open', aggregation: 'last', window: '1m', operator: '>', threshold: 5 },
    notify: ['hook'],
  });
  return api;
}

interface Scene {
  receiver: TimedReceiver;
  tenants: readonly ApiClient[];
}

/** Posts for so long, each time a new series, and answers how many milliseconds each took. Throws when one is not told. */
async function post({ receiver, tenants }: Scene, round: number, seconds: number): Promise<number[]> {
  const sentMs = new Map<string, number>();
  const receivedBefore = receiver.received.length;
  const count = seconds * POSTS_PER_SECOND;
  const startedMs = performance.now();
  const posting: Promise<unknown>[] = [];
  for (let at = 0; at < count; at++) {
    await sleep(Math.max(0, startedMs + (at * 1_000) / POSTS_PER_SECOND - performance.now()));
    const series = `${round}-${at}`;
    sentMs.set(series, performance.now());
    posting.push(
      tenants[at % TENANTS]!.post('/api/v1/events', { events: [{ name: 'board', dims: { post: series }, measures: { open: 6 } }] }),
    );
  }
  await Promise.all(posting);
  const took = (): number[] =>
    receiver.received.slice(receivedBefore).flatMap(({ body, atMs }) => {
      const { type, data } = JSON.parse(body) as { type: string; data: { alert: { labels: { post: string } } } };
      const fromMs = sentMs.get(data.alert.labels.post);
      return type !== 'alert.fired' || fromMs === undefined ? [] : [atMs - fromMs];
    });
  const giveUpAtMs = performance.now() + ARRIVE_MS;
  while (took().length < count && performance.now() < giveUpAtMs) await sleep(10);
  if (took().length !== count) throw new Error(`${took().length} messages for ${count} posts`);
  return took();
}

if (import.meta.main) console.log(JSON.stringify(await run(), null, 2));
