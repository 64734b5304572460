import { openAlertsLike, readMutes, type LabelsWanted, type SqlTx, type StoredMutes } from '@tocsin/db';
import {
  type EpochMs,
  Inhibition,
  matches,
  type MatchedAlert,
  type Mutes,
  NO_MUTES,
  occurrenceAt,
  type Quiet,
  Route,
  valuesWanted,
} from '@tocsin/domain';

/** What a tenant says of who hears, beside its rules. */
interface TenantMutes {
  routes: readonly Route[];
  mutes: Mutes;
}

export type KnownMutes = (tenantId: string) => TenantMutes;

/** An alert that may be muted: of what it is not a target, no inhibiting alerts are looked for. */
export interface MayBeMuted extends MatchedAlert {
  tenantId: string;
}

/** What is muted by another alert is woken when that ends; where that was missed, it is found so much later. */
export const LOOK_AGAIN_MS = 60_000;

const NOBODY: TenantMutes = { routes: [], mutes: NO_MUTES };

/** Reads what mutes these alerts just now, as committed: nothing of it is remembered. `keep` as for `readMutes`. */
export async function knownMutes(sql: SqlTx, alerts: readonly MayBeMuted[], { keep }: { keep: boolean }): Promise<KnownMutes> {
  if (alerts.length === 0) return () => NOBODY;
  const known = byTenant(await readMutes(sql, [...new Set(alerts.map(({ tenantId }) => tenantId))], { keep }));
  const open = Map.groupBy(await openAlertsLike(sql, inhibitorsWanted(known, alerts)), ({ tenantId }) => tenantId);
  for (const [tenantId, inhibitors] of open) {
    const of = known.get(tenantId);
    if (of !== undefined) known.set(tenantId, { ...of, mutes: { ...of.mutes, inhibitors } });
  }
  return (tenantId) => known.get(tenantId) ?? NOBODY;
}

function byTenant({ nowMs, silences, windows, lists }: StoredMutes): Map<string, TenantMutes> {
  const tenants = new Set([silences, windows, lists].flatMap((rows) => rows.map(({ tenantId }) => tenantId)));
  return new Map(
    [...tenants].map((tenantId) => {
      const of = <Row extends { tenantId: string }>(rows: readonly Row[]): Row[] => rows.filter((row) => row.tenantId === tenantId);
      const list = (kind: 'routes' | 'inhibitions') => of(lists).find((each) => each.kind === kind)?.entries ?? [];
      const mutes: Mutes = {
        silences: of(silences).map(({ id, matchers, endsMs }) => ({ id, matchers, untilMs: endsMs })),
        windows: of(windows).flatMap((window) => quietOf(window, nowMs)),
        inhibitions: Inhibition.array().parse(list('inhibitions')),
        inhibitors: [],
      };
      return [tenantId, { routes: Route.array().parse(list('routes')), mutes }];
    }),
  );
}

function quietOf(window: StoredMutes['windows'][number], nowMs: EpochMs): Quiet[] {
  const { id, matchers } = window;
  const occurrence = occurrenceAt(window, nowMs);
  return occurrence === null ? [] : [{ id, matchers, untilMs: occurrence.toMs }];
}

function inhibitorsWanted(known: ReadonlyMap<string, TenantMutes>, alerts: readonly MayBeMuted[]): LabelsWanted[] {
  return [...known].flatMap(([tenantId, { mutes }]) => {
    const ofTenant = alerts.filter((alert) => alert.tenantId === tenantId);
    const concerned = mutes.inhibitions.filter(({ target }) => ofTenant.some((alert) => matches(target, alert)));
    return concerned.map(({ source }) => ({ tenantId, values: valuesWanted(source) }));
  });
}
