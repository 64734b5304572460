import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

export interface Tally {
  passed: number;
  /** Files that could not be loaded, and errors outside any test, count as one each. */
  failed: number;
  skipped: number;
  /** `file: suite` of each suite that has a skipped test. */
  skippedSuites: string[];
  /** `file: test`, with what it said. */
  failures: string[];
}

interface JsonReport {
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { ancestorTitles: string[]; title: string; status: string; failureMessages: string[] }[];
  }[];
}

/** Of a failure: enough for its cause. */
const MESSAGE_LINES = 12;
const ROOT = join(import.meta.dirname, '../..');

/** Runs the suites with its report on the terminal, and counts. The child is in our process group: a Ctrl-C reaches it too. */
export async function runVitest(args: readonly string[], env: Record<string, string>, signal: AbortSignal): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), 'tocsin-test-report-'));
  const report = join(dir, 'report.json');
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const child = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    const stop = (): boolean => child.kill('SIGTERM');
    signal.addEventListener('abort', stop);
    const [code] = (await once(child, 'exit')) as [number | null];
    signal.removeEventListener('abort', stop);
    const tally = count(report);
    return code === 0 || tally.failed > 0 ? tally : { ...tally, failed: 1, failures: ['an error outside of any test: see above'] };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function count(report: string): Tally {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0, skippedSuites: [], failures: [] };
  const suites = new Set<string>();
  for (const file of parse(report)?.testResults ?? []) {
    const failedBefore = tally.failed;
    const name = relative(ROOT, file.name);
    const fail = (title: string, message: string): void => {
      tally.failed += 1;
      const lines = message.split('\n').filter((line) => !line.includes('/node_modules/'));
      tally.failures.push(`${name}: ${title}\n${lines.slice(0, MESSAGE_LINES).join('\n')}`);
    };
    for (const { status, ancestorTitles, title, failureMessages } of file.assertionResults) {
      if (status === 'passed') tally.passed += 1;
      else if (status === 'failed') fail([...ancestorTitles, title].filter((part) => part !== '').join(' > '), failureMessages.join('\n'));
      else {
        tally.skipped += 1;
        suites.add(`${name}: ${ancestorTitles.find((name) => name !== '') ?? title}`);
      }
    }
    if (file.status === 'failed' && tally.failed === failedBefore) fail('outside of its tests', file.message);
  }
  return { ...tally, skippedSuites: [...suites] };
}

/** Null when vitest ended without a report. */
function parse(report: string): JsonReport | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as JsonReport;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
