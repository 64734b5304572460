import { type ApiClient, newTenant } from '@tocsin/testkit';
import { CHANNELS } from './receivers.ts';

export interface ScriptedTenant {
  externalKey: string;
  tenantId: string;
  api: ApiClient;
  /** Ids of its rules by key. */
  rules: ReadonlyMap<string, string>;
}

/** One series of one rule, whose level the script raises and lowers. Each change of the level is one transition, and nothing else is one. */
export interface Track {
  tenant: ScriptedTenant;
  ruleKey: string;
  series: string;
}

/** `last` over a window that outlasts the storm: a level holds until another is sent, however late it is looked at. */
const levelRule = (key: string, more: object) => ({
  key,
  name: `Rule ${key}`,
  condition: { measure: 'level', name: key, aggregation: 'last', window: '6h', operator: '>', threshold: 0.5 },
  groupBy: ['series'],
  cooldown: '0s',
  // a script that plays for minutes changes more often than that
  flapping: 'off',
  evaluationDelay: '0s',
  notify: [{ channel: 'steady' }, { channel: 'moody' }, { channel: 'refusing' }, { channel: 'critical', minSeverity: 'critical' }],
  ...more,
});

const RULES = [
  { rule: levelRule('jumping', { severity: 'critical' }), series: ['a', 'b'] },
  { rule: levelRule('holding', { severity: 'warning', for: '2s', keepFiringFor: '2s' }), series: ['c'] },
];

export async function makeTenant(url: string, adminKey: string, receiversUrl: string, externalKey: string): Promise<ScriptedTenant> {
  const { api, tenantId } = await newTenant(url, adminKey, externalKey);
  for (const key of CHANNELS) {
    await api.post('/api/v1/channels', {
      key,
      name: key,
      kind: 'webhook',
      grouping: false,
      config: { url: `${receiversUrl}/${externalKey}/${key}` },
    });
  }
  const rules = new Map<string, string>();
  for (const { rule } of RULES) rules.set(rule.key, (await api.post<{ id: string }>('/api/v1/rules', rule)).id);
  return { externalKey, tenantId, api, rules };
}

export const tracksOf = (tenant: ScriptedTenant): Track[] =>
  RULES.flatMap(({ rule, series }) => series.map((each) => ({ tenant, ruleKey: rule.key, series: each })));
