import { startTestServers } from './start-test-servers.ts';

const SHARED = Symbol.for('tocsin.testServers');
const shared = globalThis as { [SHARED]?: ReturnType<typeof startTestServers> };

/** Once per run, whichever of the projects come to it: one Postgres and one Redis for all suites. */
export default async function setUp(): Promise<() => Promise<void>> {
  const servers = await (shared[SHARED] ??= startTestServers(console.log));
  Object.assign(process.env, servers.env);
  return servers.stop;
}
