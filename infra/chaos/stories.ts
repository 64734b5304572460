import type { QueueBackend } from '@tocsin/queue';
import { postgresServer, redisServer } from '@tocsin/testkit';
import type { StormReport } from './report.ts';
import { runStorm, type StormOptions, type Target } from './storm.ts';
import { connectionsTaken } from './troubles/connections-taken.ts';
import { postgresRestarts } from './troubles/postgres-troubles.ts';
import { crashes, randomKills } from './troubles/random-kills.ts';
import { absence, flushes, fullMemory } from './troubles/redis-troubles.ts';
import { wrongClock } from './troubles/wrong-clocks.ts';
import { zombies } from './troubles/zombies.ts';

interface Telling {
  backend: QueueBackend;
  seed: number;
  /** How often or how long, as a multiple of what the tests do. */
  scale: number;
  signal?: AbortSignal;
}

export interface Story {
  /** What happens to whom, for `npm run chaos -- --help`. */
  about: string;
  backends: readonly QueueBackend[];
  tell: (telling: Telling) => Promise<StormReport>;
}

const BOTH = ['postgres', 'redis'] as const;
const REDIS = ['redis'] as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Nobody's machine has the right time but the API's, which decides how old arriving events are. */
const CLOCKS: Readonly<Record<string, number>> = {
  'scheduler-1': DAY_MS,
  'scheduler-2': -HOUR_MS,
  'evaluator-1': -DAY_MS,
  'evaluator-2': HOUR_MS,
  'dispatcher-1': DAY_MS,
  'dispatcher-2': -DAY_MS,
};

export const STORIES = {
  kills: {
    about: '50 times kill -9, of anybody',
    backends: BOTH,
    tell: ({ backend, scale, ...storm }) => runStorm({ queues: backend, ...storm, trouble: randomKills(Math.round(50 * scale), 500) }),
  },
  crashes: {
    about: 'kill -9 of one after the other, each with time to get over it',
    backends: BOTH,
    tell: ({ backend, scale, ...storm }) => runStorm({ queues: backend, ...storm, trouble: crashes(Math.round(8 * scale), 16_000) }),
  },
  clocks: {
    about: 'clocks apart by an hour and by a day, and 6 times kill -9',
    backends: BOTH,
    tell: ({ backend, scale, ...storm }) =>
      runStorm({
        queues: backend,
        ...storm,
        trouble: randomKills(Math.round(6 * scale), 3_000),
        envOf: (name) => wrongClock(CLOCKS[name] ?? 0),
      }),
  },
  zombies: {
    about: 'evaluators and dispatchers stopped beyond their leases, then continued',
    backends: BOTH,
    tell: ({ backend, scale, ...storm }) =>
      runStorm({ queues: backend, ...storm, trouble: zombies(['evaluator', 'dispatcher'], Math.ceil(2 * scale), 14_000) }),
  },
  'postgres-restarts': {
    about: 'PostgreSQL stopped at once, one of its backends killed, its postmaster killed, twice each',
    backends: BOTH,
    tell: async ({ backend, scale, ...storm }) => {
      await using server = await own(postgresServer());
      return await runStorm({
        queues: backend,
        ...storm,
        postgresUrl: server.url,
        trouble: postgresRestarts(server, Math.round(6 * scale), 6_000),
      });
    },
  },
  'connections-taken': {
    about: 'somebody else takes every connection to PostgreSQL for 15 s, twice',
    backends: BOTH,
    tell: async ({ backend, scale, ...storm }) => {
      await using server = await own(postgresServer({ max_connections: '100' }));
      return await runStorm({
        queues: backend,
        ...storm,
        postgresUrl: server.url,
        trouble: connectionsTaken(Math.ceil(2 * scale), 15_000),
      });
    },
  },
  'redis-flushed': {
    about: 'everything in Redis lost, 10 times',
    backends: REDIS,
    tell: (telling) => onRedis(telling, (redis) => flushes(redis, Math.round(10 * telling.scale), 2_000)),
  },
  'redis-away': {
    about: 'Redis away for a minute, and empty when it is back',
    backends: REDIS,
    tell: (telling) => onRedis(telling, (redis) => absence(redis, 60_000 * telling.scale)),
  },
  'redis-full': {
    about: 'Redis takes no writes for half a minute',
    backends: REDIS,
    tell: (telling) => onRedis(telling, (redis) => fullMemory(redis, 30_000 * telling.scale)),
  },
} as const satisfies Record<string, Story>;

type RedisServer = Awaited<ReturnType<typeof redisServer>>;

async function onRedis(
  { seed, signal }: Telling,
  troubleOf: (redis: RedisServer) => (target: Target) => Promise<void>,
): Promise<StormReport> {
  await using redis = await own(redisServer());
  const options: StormOptions = { queues: { url: redis.url }, seed, signal, trouble: troubleOf(redis) };
  return await runStorm(options);
}

async function own<Server extends { close: () => Promise<void> }>(starting: Promise<Server>): Promise<Server & AsyncDisposable> {
  const server = await starting;
  return Object.assign(server, { [Symbol.asyncDispose]: server.close });
}
