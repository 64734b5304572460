// `npm run verify`: all that can be known about the code without a database, in under a minute.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const BIN = join(ROOT, 'node_modules/.bin');

interface Step {
  name: string;
  command: readonly [string, ...string[]];
  /** What to run, or to read, when it fails. */
  fix: string;
}

const STEPS: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'], fix: 'npm run format' },
  { name: 'lint', command: ['oxlint', '--type-aware', '--quiet'], fix: 'what oxlint says; a suppression carries its reason' },
  {
    name: 'types',
    command: ['turbo', 'run', 'typecheck', '--continue', '--output-logs=errors-only', `--concurrency=${availableParallelism()}`],
    fix: 'what tsc says',
  },
  { name: 'types outside the packages', command: ['tsc', '--noEmit', '-p', '.'], fix: 'what tsc says' },
  { name: 'dead code', command: ['knip', '--no-progress', '--no-config-hints'], fix: 'delete what nobody uses' },
  { name: 'documents', command: ['node', 'tooling/check-doc-refs.ts'], fix: 'the paths in the documents' },
  { name: 'platforms', command: ['node', 'tooling/check-lock-platforms.ts'], fix: 'pin versions that have binaries for every platform' },
  { name: 'pure tests', command: ['vitest', 'run', '--project', 'pure', '--reporter=dot'], fix: 'what the tests say' },
];

const env = { ...process.env, PATH: BIN + delimiter + process.env['PATH'], TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };

async function passes({ name, command: [program, ...args], fix }: Step): Promise<boolean> {
  const started = performance.now();
  const child = spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(code === 0 ? `ok    ${name} (${seconds} s)` : `FAIL  ${name} (${seconds} s)\n${output.trimEnd()}\n      to fix: ${fix}\n`);
  return code === 0;
}

const failed: string[] = [];
for (const step of STEPS) if (!(await passes(step))) failed.push(step.name);
console.log(failed.length === 0 ? '\nverified' : `\nnot verified: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
