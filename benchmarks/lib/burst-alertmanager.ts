import { freePort } from '@tocsin/testkit';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds } from './cpu-seconds.ts';
import { startProcess } from './start-process.ts';
import type { TimedReceiver } from './timed-receiver.ts';

const PROGRAM = 'prometheus-alertmanager';
const ALERTS_PER_POST = 1_000;
const READY_MS = 10_000;
const ARRIVE_MS = 60_000;

export const hasAlertmanager = (): boolean => spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0;

/** The same burst through Prometheus' Alertmanager: each alert its own group, told at once, to the same receiver. */
export async function burstAlertmanager(receiver: TimedReceiver, alerts: number): Promise<{ seconds: number; cpu: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-alertmanager-'));
  const config = join(folder, 'alertmanager.yml');
  await writeFile(
    config,
    `route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}
receivers: [{name: hook, webhook_configs: [{url: '${receiver.url}', send_resolved: false, max_alerts: 0}]}]
`,
  );
  const url = `http://127.0.0.1:${await freePort()}`;
  const server = startProcess(PROGRAM, [
    `--config.file=${config}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${url.slice('http://'.length)}`,
    '--cluster.listen-address=',
    '--log.level=error',
  ]);
  try {
    await untilReady(url);
    const [before, cpuBefore, startedMs] = [receiver.received.length, cpuSeconds(server.pid), performance.now()];
    for (let from = 0; from < alerts; from += ALERTS_PER_POST) await post(url, from, Math.min(ALERTS_PER_POST, alerts - from));
    while (receiver.received.length - before < alerts && performance.now() < startedMs + ARRIVE_MS) await sleep(10);
    if (receiver.received.length - before !== alerts) throw new Error(`${receiver.received.length - before} requests for ${alerts} alerts`);
    return { seconds: (receiver.received.at(-1)!.atMs - startedMs) / 1_000, cpu: cpuSeconds(server.pid) - cpuBefore };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function untilReady(url: string): Promise<void> {
  const giveUpAtMs = performance.now() + READY_MS;
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (performance.now() > giveUpAtMs) throw new Error('the Alertmanager does not answer');
    await sleep(20);
  }
}

async function post(url: string, from: number, count: number): Promise<void> {
  const alerts = Array.from({ length: count }, (_, index) => ({
    labels: { alertname: 'Slow', series: `series-${from + index}`, severity: 'critical' },
    annotations: { summary: 'p95 of latency is 2,000 ms' },
  }));
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers, body: JSON.stringify(alerts) });
  if (!answer.ok) throw new Error(`the Alertmanager answered ${answer.status}: ${await answer.text()}`);
}
