import { openQueues } from '@tocsin/queue';
import { until } from '@tocsin/testkit';
import type postgres from 'postgres';

const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

/** What is still left to do, in rows and queues, after waiting for it to be done. */
export async function unsettled(sql: postgres.Sql, queueUrl: string, withinMs: number): Promise<string[]> {
  const queues = await openQueues({ url: queueUrl, logger: QUIET });
  let left: string[] = [];
  try {
    await until(async () => {
      left = await unfinishedRows(sql);
      for (const [name, { waiting, active, delayed }] of Object.entries(await queues.depth())) {
        const jobs = waiting + active + delayed;
        if (jobs > 0 && name !== 'maintenance')
          left.push(`${jobs} jobs in ${name}: ${waiting} waiting, ${active} active, ${delayed} delayed`);
      }
      if (left.length > 0) throw new Error('not yet');
    }, withinMs);
  } catch {
    return left;
  } finally {
    await queues.close();
  }
  return [];
}

async function unfinishedRows(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ what: string; count: number }[]>`
    select 'runs that are ' || status as what, count(*)::int from runs where status in ('queued', 'running') group by status
    union all select 'triggers that are pending', count(*)::int from triggers where status = 'pending'
    union all select 'deliveries that are ' || status, count(*)::int from deliveries where status in ('pending', 'sending', 'retrying') group by status`;
  return rows.filter(({ count }) => count > 0).map(({ what, count }) => `${count} ${what}`);
}
