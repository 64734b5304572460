import { startTestServers } from './start-test-servers.ts';

const SHARED = Symbol.for('tocsin.testServers');
const shared = globalThis as { [SHARED]?: ReturnType<typeof startTestServers> };

/** Once per run, whichever of the projects come to it: one Postgres and one Redis for all suites. */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  // `npm test` has its own for all of its passes.
  if (process.env['TOCSIN_TEST_SERVERS'] === 'started') return undefined;
  const servers = await (shared[SHARED] ??= startTestServers(console.log));
  Object.assign(process.env, servers.env);
  return servers.stop;
}
