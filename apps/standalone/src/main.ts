import { ConfigError, runProcess } from '@tocsin/runtime';
import { relative, resolve } from 'node:path';
import { credentialsPath } from './first-tenant.ts';
import { portIsFree } from './port-is-free.ts';
import { standaloneConfig, startStandalone } from './start-standalone.ts';

// A person watches this terminal: what is normal is said below, and what is logged is what went wrong.
process.env['TOCSIN_LOG_LEVEL'] ??= 'warn';

const unknown = process.argv.slice(2).filter((argument) => argument !== '--demo');
const say = (line: string): void => void process.stdout.write(`· ${line}\n`);

if (unknown.length > 0) {
  process.stderr.write(`Unknown argument ${unknown[0]}. There is one: npm start -- --demo\n`);
  process.exit(1);
}

await runProcess('standalone', standaloneConfig, async ({ config, logger, stack }) => {
  if (!(await portIsFree(config.host, config.port))) {
    throw new ConfigError([
      { variable: 'TOCSIN_PORT', problem: `is ${config.port}, which another program uses on ${config.host}: set it to a free port` },
    ]);
  }
  const isDemo = process.argv.includes('--demo');
  const dataDir = resolve(config.dataDir);
  const { url } = await startStandalone({ config, dataDir, isDemo, logger, stack, say });
  process.stdout.write(block(url, credentialsPath(dataDir), isDemo));
});

function block(url: string, credentials: string, isDemo: boolean): string {
  const path = relative(process.cwd(), credentials);
  const next = isDemo
    ? [
        `curl -X POST ${url}/api/v1/demo/break      within a minute two rules fire …`,
        `curl ${url}/api/v1/demo/echo               … and this shows what was sent`,
      ]
    : [`curl -H "authorization: Bearer $(node -p 'require("./${path}").apiKey')" ${url}/api/v1/rules`];
  return ['', `  Tocsin  ${url}`, `  Key     ${path}`, `  Next    ${next.join('\n          ')}`, '  Stop    Ctrl-C', '', ''].join('\n');
}
