// `npm run chaos -- [story…] [--backend redis|postgres] [--seeds 3] [--scale 1]`: stories of trouble, longer and more often than the tests tell them.
import { parseArgs } from 'node:util';
import { startTestServers } from '../../tooling/test-servers/start-test-servers.ts';
import { chosenSeed } from './dice.ts';
import { type Story, STORIES } from './stories.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    scale: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

const stories = new Map<string, Story>(Object.entries(STORIES));
const unknown = positionals.filter((name) => !stories.has(name));
if (values.help || unknown.length > 0) {
  for (const name of unknown) console.error(`No story is named ${name}. There are:`);
  for (const [name, { about }] of stories) console.log(`${name.padEnd(18)} ${about}`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());

const servers = await startTestServers(console.error);
Object.assign(process.env, servers.env);
let failed = 0;
try {
  const firstSeed = chosenSeed();
  for (let seed = firstSeed; seed < firstSeed + Number(values.seeds); seed += 1) {
    for (const [name, { backends, tell }] of stories) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      for (const backend of backends) {
        if (interrupted.signal.aborted || (values.backend !== undefined && values.backend !== backend)) continue;
        console.log(`${name} on ${backend}, TOCSIN_TEST_SEED=${seed}`);
        const report = await tell({ backend, seed, scale: Number(values.scale), signal: interrupted.signal }).catch((error: unknown) => ({
          broken: [String(error)],
        }));
        console.log(JSON.stringify(report, null, 2));
        if (report.broken.length > 0) failed += 1;
      }
    }
  }
} finally {
  await servers.stop();
}
console.log(failed === 0 ? 'every promise was kept' : `promises were broken in ${failed} stories`);
// Scripts of an interrupted storm may still be waiting.
process.exit(failed === 0 ? 0 : 1);
