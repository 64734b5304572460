import type { Ingest } from '../ingest.ts';
import { NOISE } from '../play.ts';
import type { ScriptedTenant } from '../script.ts';

interface Range {
  series: { points: { value: number | null }[] }[];
}

/** Every acknowledged event is found exactly once, whatever it took to have it acknowledged. */
export async function brokenEvents(tenants: readonly ScriptedTenant[], ingest: Ingest): Promise<string[]> {
  const broken: string[] = [];
  const nowMs = Date.now();
  for (const tenant of tenants) {
    const read = async (name: string, measure: string, aggregation: string): Promise<number> => {
      const [from, to] = [nowMs - 60_000, nowMs + 1_000].map((ms) => new Date(ms).toISOString());
      const query = { measure, name, aggregation, window: '6h', from, to, step: '61s' };
      const { series } = await tenant.api.post<Range>('/api/v1/metrics/query', query);
      return series[0]?.points.at(-1)?.value ?? 0;
    };
    for (const [name, measure] of [[NOISE, 'number'], ...[...tenant.rules.keys()].map((key) => [key, 'level'] as const)] as const) {
      const { count, sum } = ingest.acknowledged(tenant, name);
      const found = { count: await read(name, measure, 'count'), sum: await read(name, measure, 'sum') };
      if (found.count !== count || found.sum !== sum) {
        broken.push(`${tenant.externalKey} ${name}: acknowledged ${count} (sum ${sum}), found ${found.count} (sum ${found.sum})`);
      }
    }
  }
  return broken;
}
