import type { QueueBackend } from '@tocsin/queue';
import { openDeployment } from '@tocsin/testkit';
import postgres from 'postgres';
import { fastSlots } from '../tests/fast-slots.ts';
import { checkPromises, type Evidence } from './check-promises.ts';
import { type Dice, openDice } from './dice.ts';
import { type Fleet, type FleetCounts, openFleet } from './fleet.ts';
import { openIngest } from './ingest.ts';
import { makeNoise, play, type Stage } from './play.ts';
import { unsettled } from './promises/settled.ts';
import { openReceivers } from './receivers.ts';
import { reportOf, type StormReport } from './report.ts';
import { makeTenant, tracksOf } from './script.ts';

/** What trouble may be made with. */
export interface Target {
  fleet: Fleet;
  dice: Dice;
  /** A superuser's, of the deployment's database. */
  sql: postgres.Sql;
  /** The same as every process logs in by. */
  appUrl: string;
}

export interface StormOptions {
  /** Or a Redis that the trouble may break. */
  queues: QueueBackend | { url: string };
  seed: number;
  /** Resolves when it is over and every server is there again. */
  trouble: (target: Target) => Promise<void>;
  tenants?: number;
  counts?: FleetCounts;
  /** A superuser's, of a server that the trouble may break. Without it: the tests' own. */
  postgresUrl?: string;
  /** Added to one member's environment. */
  envOf?: (member: string) => Record<string, string>;
  /** The longest wait before a killed process is started again. */
  restartMs?: number;
  /** Is shown what the promises are checked by, at the end. */
  examine?: (evidence: Evidence) => Promise<void>;
  /** Ends the storm early: rejects, once nothing of it is left. */
  signal?: AbortSignal | undefined;
}

const SLOT_MS = 1_000;
const SETTLED_WITHIN_MS = 240_000;
const NOBODY: FleetCounts = { api: 0, scheduler: 0, evaluator: 0, dispatcher: 0 };
const COUNTS: FleetCounts = { api: 1, scheduler: 2, evaluator: 3, dispatcher: 2 };

/** Plays a script whose every transition is known on real processes, makes trouble meanwhile, and holds what came of it against the promises. */
export async function runStorm(options: StormOptions): Promise<StormReport> {
  const {
    queues,
    seed,
    trouble,
    tenants: tenantCount = 6,
    counts = COUNTS,
    postgresUrl,
    envOf = () => ({}),
    restartMs = 2_000,
    signal,
  } = options;
  await using opened = new AsyncDisposableStack();
  const receivers = await openReceivers();
  opened.defer(receivers.close);
  const deployment = await openDeployment(queues, { ...NOBODY }, postgresUrl === undefined ? {} : { postgresUrl });
  opened.defer(deployment.close);
  const sql = postgres(deployment.database.adminUrl, { max: 2, onnotice: () => {}, connection: { search_path: 'tocsin' } });
  opened.defer(() => sql.end({ timeout: 5 }));
  await fastSlots(deployment, SLOT_MS);
  const fleet = await openFleet({ counts, env: deployment.env, envOf, dice: openDice(seed, 'restarts'), restartMs });
  opened.defer(fleet.close);
  await fleet.allUp();

  const names = Array.from({ length: tenantCount }, (_, index) => `tenant-${index + 1}`);
  const tenants = await Promise.all(names.map((name) => makeTenant(fleet.apiUrl, deployment.adminKey, receivers.url, name)));
  const ingest = openIngest();
  let isOver = false;
  const stageOf = (who: string): Stage => ({ ingest, receivers, dice: openDice(seed, who), isOver: () => isOver });
  const playing = tenants.flatMap(tracksOf).map((track) => play(track, stageOf(`${track.tenant.externalKey} ${track.series}`)));
  const noise = tenants.map((tenant) => makeNoise(tenant, stageOf(`${tenant.externalKey} noise`)));
  await Promise.race([trouble({ fleet, dice: openDice(seed, 'trouble'), sql, appUrl: deployment.database.appUrl }), aborted(signal)]);
  const overMs = performance.now();
  isOver = true;
  await fleet.allUp();
  const [played] = await Promise.all([Promise.all(playing), Promise.all(noise)]);
  // Its script is played: from here on no slot falls due.
  for (const { api, rules } of tenants) for (const id of rules.values()) await api.post(`/api/v1/rules/${id}/disable`);
  const left = await unsettled(sql, deployment.env['TOCSIN_QUEUE_URL'] ?? '', SETTLED_WITHIN_MS);
  const settledMs = performance.now() - overMs;

  const evidence: Evidence = { sql, tenants, played, ingest, receivers, slotMs: SLOT_MS };
  const broken = [...fleet.deserters, ...left, ...(await checkPromises(evidence))];
  await options.examine?.(evidence);
  return reportOf(sql, { seed, broken, settledMs, played, ingest, receivers });
}

const aborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('interrupted')), { once: true }));
