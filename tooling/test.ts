// `npm test [-- [--require-all] [vitest's filters and options]]`: every suite, on servers started for the run. With
// --require-all a suite that was not run is a failure.
import { runVitest, type Tally } from './test-servers/run-vitest.ts';
import { startPostgres15 } from './test-servers/start-postgres-15.ts';
import { startTestServers } from './test-servers/start-test-servers.ts';

const REQUIRE_ALL = '--require-all';
const args = process.argv.slice(2).filter((arg) => arg !== REQUIRE_ALL);
const requiresAll = process.argv.includes(REQUIRE_ALL);

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

const tallies: Tally[] = [];
const notRun: string[] = [];

const servers = await startTestServers(console.log);
try {
  if (servers.env['TOCSIN_TEST_REDIS_URL'] === undefined && process.env['TOCSIN_TEST_REDIS_URL'] === undefined) {
    notRun.push(
      'everything on Redis: this machine has no redis-server or valkey-server, and none could be fetched (install one, or set TOCSIN_TEST_REDIS_URL)',
    );
  }
  tallies.push(await runVitest(args, servers.env, interrupted.signal));
} finally {
  await servers.stop();
}

if (!interrupted.signal.aborted) {
  const oldest = await startPostgres15();
  if (oldest === null) {
    notRun.push('the database suites on PostgreSQL 15: this machine has none (on Debian: apt-get install postgresql-15)');
  } else {
    try {
      console.log('\nThe database suites once more, on PostgreSQL 15');
      const env = { ...servers.env, TOCSIN_TEST_POSTGRES_URL: oldest.url };
      tallies.push(await runVitest([...args, '--project', 'db', '--passWithNoTests'], env, interrupted.signal));
    } finally {
      await oldest.stop();
    }
  }
}

const sum = (key: 'passed' | 'failed' | 'skipped'): number => tallies.reduce((total, tally) => total + tally[key], 0);
notRun.push(...new Set(tallies.flatMap((tally) => tally.skippedSuites)));
if (notRun.length > 0) {
  console.log(`\nNOT RUN${requiresAll ? ', although everything was required' : ''}:`);
  for (const suite of notRun) console.log(`  - ${suite}`);
}
// A log is long, and who has only its end wants to know.
for (const failure of tallies.flatMap(({ failures }) => failures)) console.log(`\nFAILED ${failure}`);
process.exitCode = sum('failed') > 0 || interrupted.signal.aborted || (requiresAll && notRun.length > 0) ? 1 : 0;
if (interrupted.signal.aborted) console.log('\nInterrupted: what had not ended by then is not counted.');
else console.log(`\n${sum('passed')} passed, ${sum('failed')} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}`);
