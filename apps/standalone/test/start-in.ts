import { startTocsin, type TocsinProcess } from '@tocsin/testkit';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';

interface Credentials {
  url: string;
  tenantId: string;
  apiKey: string;
  schedulerSecret: string;
}

/** What `npm start` runs, in a folder of its own as if it were the checkout. */
export async function startIn(
  folder: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<TocsinProcess & { credentials: () => Credentials }> {
  const dataDir = join(folder, '.tocsin');
  const standalone = await startTocsin('standalone', { TOCSIN_DATA_DIR: dataDir, ...env }, args);
  await vi.waitFor(() => expect(standalone.output()).toContain('Ctrl-C'), { timeout: 60_000, interval: 50 });
  await standalone.ready();
  return { ...standalone, credentials: () => JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8')) as Credentials };
}

/** The server that this start launched, and has not merely joined. */
export function postgresOf({ pid }: TocsinProcess): number {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' }).split('\n');
  const server = lines
    .map((line) => line.trim().split(/\s+/))
    .find(([, parent, program]) => parent === String(pid) && program?.endsWith('/bin/postgres'));
  if (server === undefined) throw new Error(`process ${pid} has launched no PostgreSQL`);
  return Number(server[0]);
}

export const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

/** Where the server's unprivileged user can get to as well. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tocsin-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}
