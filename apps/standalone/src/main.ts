import { runProcess } from '@tocsin/runtime';
import { readDefaults, serviceBounds } from '@tocsin/services';
import { relative, resolve } from 'node:path';
import { checkAddress } from './check-address.ts';
import { checkDataDir } from './check-data-dir.ts';
import { credentialsPath } from './first-tenant.ts';
import { inWords } from './in-words.ts';
import { standaloneConfig, startStandalone } from './start-standalone.ts';

// A person watches this terminal: what is normal is said below, and what is logged is what went wrong.
process.env['TOCSIN_LOG_LEVEL'] ||= 'warn';

const USAGE = `npm start              all of Tocsin in one process, on an embedded PostgreSQL
npm start -- --demo    the same with a small shop, a day of its history, and rules to see firing

  TOCSIN_PORT=8080         where it listens; TOCSIN_HOST=0.0.0.0 lets other machines in
  TOCSIN_DATA_DIR=.tocsin  its database, keys and credentials; delete the folder to begin anew

README.md has the first five minutes, docs/operating.md every variable.
`;
/** Variables of the other processes that people set here, expecting something of it. */
const SERVERS = ['TOCSIN_DATABASE_URL', 'TOCSIN_QUEUE_URL'];

const args = process.argv.slice(2);
const unknown = args.find((argument) => !['--demo', '--help', '-h'].includes(argument));
const say = (line: string): void => void process.stdout.write(`· ${line}\n`);

if (unknown !== undefined) {
  process.stderr.write(`Unknown argument ${unknown}.\n\n${USAGE}`);
  process.exit(1);
}
if (args.some((argument) => argument !== '--demo')) {
  process.stdout.write(USAGE);
  process.exit(0);
}

await runProcess('standalone', standaloneConfig, async ({ config, logger, stack, signal }) => {
  // `npm start --demo`, without the dashes in between, arrives as a setting of npm's.
  const isDemo = args.includes('--demo') || process.env['npm_config_demo'] === 'true';
  const dataDir = resolve(config.dataDir);
  const ignored = SERVERS.filter((name) => process.env[name]);
  if (ignored.length > 0)
    say(`${ignored.join(' and ')} not used: this start runs on an embedded PostgreSQL (docs/operating.md, “Starting”)`);
  checkDataDir(dataDir);
  await checkAddress(config.host, config.port);
  // The demo watches its shop with rules of its own, whose short windows end with the trouble.
  const defaults = isDemo ? null : readDefaults({ file: config.rulesFile, env: process.env, bounds: serviceBounds(config) });
  const { url } = await startStandalone({ config, dataDir, isDemo, defaults, logger, stack, signal, say }).catch((error: unknown) => {
    throw inWords(error, dataDir);
  });
  process.stdout.write(block(url, credentialsPath(dataDir), isDemo));
});

function block(url: string, credentials: string, isDemo: boolean): string {
  const path = relative(process.cwd(), credentials);
  const demo = `${url}/api/v1/demo`;
  const next = isDemo
    ? [
        'in a second terminal, break the shop; within a minute two rules fire:',
        `  curl -X POST ${demo}/break`,
        'see what was sent, and heal it:',
        `  curl ${demo}/echo`,
        `  curl -X POST ${demo}/heal`,
      ]
    : ['in a second terminal, “The first five minutes” of README.md: events, a rule, an alert'];
  return [
    '',
    `  Tocsin  ${url}`,
    `  Key     ${path.startsWith('..') ? credentials : path}`,
    `  Next    ${next.join('\n          ')}`,
    '  Stop    Ctrl-C',
    '',
    '',
  ].join('\n');
}
