import { expect, test, vi } from 'vitest';
import { HOUR, ruleOf } from '../test/a-rule.ts';
import { DAY_BEGINS_MS, labelledDays, STEP_MS, type LabelledDay, type Subject } from '../test/labelled-days.ts';
import { onlySeries, readings, replayOf } from '../test/replay.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { fitModel } from './fit-model.ts';
import type { Fits } from './judge.ts';
import type { ReplayedSeries } from './replay-rule.ts';

// A second or two of work each, on a machine that may have much else to do.
vi.setConfig({ testTimeout: 60_000 });

/** Rules as somebody would write them who knows what is measured, but not what will happen. */
const RULE_SETS: Readonly<Record<string, Partial<Record<Subject, CompiledRule>>>> = {
  baseline: {
    latency: rule('latency', '>', { warning: { baseline: { multiplier: 2, recover: 1.6 } }, critical: { baseline: { multiplier: 5 } } }),
    traffic: rule(null, '<', {
      warning: { baseline: { multiplier: 0.5, floor: 50, recover: 0.7 } },
      critical: { baseline: { multiplier: 0.1, floor: 50 } },
    }),
  },
  anomaly: {
    latency: rule('latency', '>', {
      warning: { anomaly: { score: 5, method: 'seasonal', floor: 100 } },
      critical: { anomaly: { score: 15, method: 'seasonal', floor: 500 } },
    }),
    traffic: rule(null, '<', { warning: { anomaly: { score: 4, floor: 50 } }, critical: { baseline: { multiplier: 0.1, floor: 50 } } }),
  },
  static: {
    errors: rule('error_rate', '>', { warning: 5, critical: 20 }, { warning: 3 }),
    disk: rule('disk', '>', { warning: 90, critical: 95 }, { warning: 88 }),
  },
  forecast: { disk: rule('disk', '>', { warning: { forecast: { crosses: 90, within: '4h', lookback: '8h' } }, critical: 95 }) },
};

function rule(subject: string | null, operator: string, threshold: object, recover?: object): CompiledRule {
  const looked = subject === null ? { name: 'http' } : subject === 'disk' ? { measure: subject } : { metric: subject };
  return ruleOf({
    condition: { ...looked, window: '5m', operator, threshold, ...(recover === undefined ? {} : { recover }) },
    for: '10m',
    keepFiringFor: '10m',
    evaluationDelay: '0s',
  });
}

/** What a rule would have known of the past, made anew each day or hour as it says. */
function fitsOf(compiled: CompiledRule, values: readonly number[], known: Map<string, Fits>, slotMs: number): Fits[] {
  return compiled.histories.map(({ model, lookbackMs, refresh }, index) => {
    const toMs = refresh === 'day' ? DAY_BEGINS_MS : slotMs - (slotMs % HOUR);
    const key = `${index} ${toMs}`;
    const fits = known.get(key);
    if (fits !== undefined) return fits;
    const fromMs = Math.max(0, toMs - lookbackMs);
    const cut = Float64Array.from(values.slice(fromMs / STEP_MS, toMs / STEP_MS));
    const history = { labels: {}, values: cut, samples: new Float64Array(cut.length).fill(100) };
    const made: Fits = { kind: 'fits', of: new Map([['{}', fitModel(model, history, fromMs)]]) };
    known.set(key, made);
    return made;
  });
}

function play(compiled: CompiledRule, { values }: LabelledDay): ReplayedSeries {
  const known = new Map<string, Fits>();
  const today = values.slice(DAY_BEGINS_MS / STEP_MS);
  const replay = replayOf(compiled, [readings(today)], {
    everyMs: STEP_MS,
    startMs: DAY_BEGINS_MS + STEP_MS,
    circumstancesAt: (_slot, slotMs) => ({ fits: fitsOf(compiled, values, known, slotMs) }),
  });
  return onlySeries(replay);
}

interface Tally {
  days: number;
  incidents: number;
  alerts: number;
  /** Alerts while nothing was wrong. */
  falseAlerts: number;
  missed: number;
  critical: number;
  /** Critical incidents of which nobody heard that they are critical. */
  missedCritical: number;
}

/** What ends is still told of for a while. */
const GRACE_MS = 20 * 60_000;

function add(tally: Tally, { incident }: LabelledDay, { firing }: ReplayedSeries): void {
  const isTrue = ({ from, to }: ReplayedSeries['firing'][number]): boolean =>
    incident !== null && from <= incident.toMs + GRACE_MS && (to ?? Infinity) >= incident.fromMs;
  tally.days += 1;
  tally.alerts += firing.length;
  tally.falseAlerts += firing.filter((span) => !isTrue(span)).length;
  if (incident === null) return;
  const told = firing.filter((span) => isTrue(span));
  tally.incidents += 1;
  tally.missed += told.length === 0 ? 1 : 0;
  tally.critical += incident.isCritical ? 1 : 0;
  tally.missedCritical += incident.isCritical && !told.some(({ severity }) => severity === 'critical') ? 1 : 0;
}

/** One line for each kind of day, for whoever has to find out why. */
function table(tallies: ReadonlyMap<string, Tally>): string {
  const columns = ['days', 'incidents', 'alerts', 'falseAlerts', 'missed', 'critical', 'missedCritical'] as const;
  const lines = [...tallies].map(([kind, tally]) => [kind, ...columns.map((column) => tally[column])]);
  return [['', ...columns], ...lines].map((cells) => cells.map((cell) => String(cell).padStart(15)).join('')).join('\n');
}

const days = labelledDays();

test('there are some 200 days, half of them with something wrong', () => {
  expect(days.length).toBeGreaterThan(190);
  const wrong = days.filter(({ incident }) => incident !== null).length / days.length;
  expect(wrong).toBeGreaterThan(0.4);
  expect(wrong).toBeLessThan(0.6);
});

interface Confusion {
  all: Tally;
  shown: string;
}

function confusion(rules: Partial<Record<Subject, CompiledRule>>): Confusion {
  const tallies = new Map<string, Tally>();
  const none: Tally = { days: 0, incidents: 0, alerts: 0, falseAlerts: 0, missed: 0, critical: 0, missedCritical: 0 };
  const all = { ...none };
  for (const day of days) {
    const compiled = rules[day.subject];
    if (compiled === undefined) continue;
    const kind = `${day.subject} ${day.kind}`;
    const tally = tallies.get(kind) ?? { ...none };
    tallies.set(kind, tally);
    const played = play(compiled, day);
    add(tally, day, played);
    add(all, day, played);
  }
  return { all, shown: table(tallies.set('all', all)) };
}

test.each(Object.entries(RULE_SETS))('the %s rules cry wolf in less than 10 % of their alerts, and miss less than 1 %', (_name, rules) => {
  const { all, shown } = confusion(rules);
  expect(all.critical, shown).toBeGreaterThan(4);
  expect(all.missedCritical, shown).toBe(0);
  expect(all.missed / all.incidents, shown).toBeLessThan(0.01);
  expect(all.falseAlerts / all.alerts, shown).toBeLessThan(0.1);
});

test('the days are hard: without `for`, and with one number for all hours, more than half of the alerts are false', () => {
  const eager = ruleOf({ condition: { metric: 'latency', window: '5m', operator: '>', threshold: 450 }, evaluationDelay: '0s' });
  const { all, shown } = confusion({ latency: eager });
  expect(all.falseAlerts / all.alerts, shown).toBeGreaterThan(0.5);
});
