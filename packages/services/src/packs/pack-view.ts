import type { Pack as PackView } from '@tocsin/contracts';
import type { InstalledPackRow, RuleRow } from '@tocsin/db';
import { describeRule } from '@tocsin/domain';
import { isKept, isNews } from './pack-change.ts';
import type { Pack } from './pack.ts';
import { planPack } from './plan-pack.ts';

/** A pack as a tenant sees it: what it holds, what of it is installed, and what installing it now would do. */
export function viewPack(pack: Pack, installed: InstalledPackRow | null, rows: readonly RuleRow[]): PackView {
  const notify = installed?.notify ?? null;
  const plan = planPack({
    packKey: pack.key,
    rules: pack.rules,
    rows: rows.filter((row) => row.packKey === pack.key || pack.rules.some(({ spec }) => spec.key === row.key)),
    gone: installed?.gone ?? {},
    notifyOf: () => notify ?? [],
  });
  const own = new Map(rows.filter(({ packKey }) => packKey === pack.key).map((row) => [row.key, row]));
  return {
    key: pack.key,
    name: pack.name,
    description: pack.description,
    looksAt: pack.looksAt.map(({ event, means, dims, measures }) => ({ event, means, dims, measures })),
    installed: installed !== null,
    enabled: installed === null ? null : [...own.values()].every(({ enabled, key }) => enabled || installed.gone[key] === 'retired'),
    updateAvailable: installed !== null && plan.some(isNews),
    notify,
    rules: pack.rules.map(({ spec }, index) => {
      const planned = plan[index]!;
      const row = own.get(spec.key);
      return {
        key: spec.key,
        name: spec.name,
        description: describeRule(spec),
        why: spec.annotations['description'] ?? '',
        ruleId: row?.id ?? null,
        enabled: row?.enabled ?? null,
        action: planned.action,
        reason: isKept(planned) ? planned.reason : null,
      };
    }),
  };
}
