import { startPostgres } from '@tocsin/embedded-postgres';
import { redisProgram } from '@tocsin/testkit';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

/** What figures were measured on, as one would say it. */
export async function describeMachine(): Promise<Record<string, string>> {
  const [processor] = cpus();
  return {
    processor: `${cpus().length} × ${processor?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release()}`,
    node: process.versions.node,
    postgres: await postgresVersion(),
    redis: redisVersion(),
  };
}

async function postgresVersion(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-version-'));
  const server = await startPostgres({ dataDir: folder });
  const sql = postgres(server.url, { max: 1 });
  try {
    const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
    return row?.version ?? 'unknown';
  } finally {
    await sql.end();
    await server.discard();
    await rm(folder, { recursive: true, force: true });
  }
}

function redisVersion(): string {
  if (redisProgram === null) return 'none';
  return /v=(\S+)/.exec(execFileSync(redisProgram, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
}
