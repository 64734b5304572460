import { formatDuration } from './duration.ts';
import { formatValue } from './format-value.ts';
import type { Phase, Reason } from './series-state.ts';
import type { ComparisonTrace } from './trace-condition.ts';

/** What is known of one slot of one series, as far as it is told in words. */
export interface SlotStory {
  reason: string | null;
  before: Phase | null;
  after: Phase | null;
  /** As it was recorded. */
  recorded: { value: number | null; threshold: number | null; operator: string | null; samples: number; why: string | null };
  /** The same comparison, read again; null: it cannot be read any more. */
  now: ComparisonTrace | null;
  /** Of the rule; null where it is not known any more. */
  rule: { forMs: number; keepFiringForMs: number; cooldownMs: number } | null;
  /** How the messages about it went, channel by channel. */
  told: {
    kind: string;
    silent: string | null;
    deliveries: { channel: string; status: string; reason: string | null; attempts: number }[];
  }[];
}

/** Tells in some sentences why a slot ended as it did. Plain text. */
export function slotText(story: SlotStory): string {
  return [seenThen(story), endedSo(story), moved(story), seenNow(story), ...story.told.map(toldWords)]
    .filter((text) => text !== '')
    .join(' ');
}

function seenThen({ recorded, now }: SlotStory): string {
  if (recorded.threshold === null && recorded.value === null) return `It saw no value (${counted(recorded.samples)}).`;
  const unit = now?.unit ?? null;
  const what = now === null ? 'The value' : now.window === null ? now.metric : `${now.aggregation} ${now.metric}`;
  const over = now?.window == null ? '' : ` over ${formatDuration(now.window.toMs - now.window.fromMs)}`;
  const limit = recorded.threshold === null ? 'no limit yet' : `limit ${recorded.operator ?? ''} ${formatValue(recorded.threshold, unit)}`;
  const why = recorded.why === null ? '' : `; ${recorded.why}`;
  return `${what}${over} was ${formatValue(recorded.value, unit)} (${limit}), of ${counted(recorded.samples)}${why}.`;
}

const counted = (samples: number): string => `${samples} ${samples === 1 ? 'sample' : 'samples'}`;

const ENDED: Readonly<Record<Reason | 'no_series' | 'changed_meanwhile' | 'rule_unreadable', string>> = {
  clear: 'The condition was clear, so there was nothing to tell.',
  breach: 'The breach began here and had to hold for {for} before it fires.',
  holding: 'It breached, but had not held for {for} yet.',
  fired: 'It fired: an alert opened.',
  still_firing: 'Its alert was open and had been told before.',
  recovering: 'It was clear, but not yet for {keep}, so its alert stayed open.',
  resolved: 'Its alert was over: it resolved.',
  cooldown: 'It would have fired, but it had fired within the cooldown of {cooldown} before, so nobody was told.',
  escalated: 'Its alert became worse than what had been told, so it was told again.',
  no_data_ok: 'There was no reading, which this rule takes for well.',
  no_data_kept: 'There was no reading, so nothing changed.',
  no_data_alert: 'There was no reading, which this rule alerts on.',
  error_kept: 'A query failed, so nothing changed: a failed query neither fires nor resolves.',
  error_alert: 'A query failed, which this rule alerts on.',
  eased: 'Its alert was open and not as bad as before; nobody is told of that.',
  worsened: 'Its alert was worse again, but no worse than had been told before.',
  flapping: 'It was clear, but changes so often that its alert stays open until it has calmed down.',
  max_open_alerts: 'It would have fired, but the rule had as many open alerts as it may have.',
  new_series: 'Nothing had come, but the series was new and had time to begin.',
  warming: 'Closed hours that are needed were still being prepared, so nothing changed.',
  baseline_not_ready: 'The series was not known for long enough to say what is usual, so nothing changed.',
  base_missing: 'There was no reading of the window it is compared with, so nothing changed.',
  base_zero: 'The window it is compared with was worth 0, of which there is no percentage, so nothing changed.',
  forecast_not_ready: 'The series was not known for long enough to say where it goes, so nothing changed.',
  series_gone: 'The series had been in no answer for 24 h, so it was let go.',
  too_few_samples: 'There were too few samples to say anything, so nothing changed.',
  no_series: 'The rule found no series at all.',
  changed_meanwhile: 'The rule or its alert was changed by people while it was looked at, so nothing of this slot counted.',
  rule_unreadable: 'The rule could not be read, so nothing was looked at.',
};

function endedSo({ reason, rule, now }: SlotStory): string {
  const known = reason === null ? undefined : (ENDED as Record<string, string>)[reason];
  if (known === undefined) return '';
  const needed = reason === 'too_few_samples' && now !== null ? ` At least ${now.minSamples} are needed.` : '';
  const duration = (ms: number | undefined, otherwise: string): string => (ms === undefined ? otherwise : formatDuration(ms));
  const told = known
    .replace('{for}', duration(rule?.forMs, '`for`'))
    .replace('{keep}', duration(rule?.keepFiringForMs, '`keepFiringFor`'))
    .replace('{cooldown}', duration(rule?.cooldownMs, '`cooldown`'));
  return told + needed;
}

function moved({ before, after }: SlotStory): string {
  if (after === null) return '';
  if (before === null || before === after) return `The series was ${after}.`;
  return `The series went from ${before} to ${after}.`;
}

/** What came late, or is gone by now, makes the same window look different. */
function seenNow({ reason, recorded, now }: SlotStory): string {
  if (reason === 'no_series' || reason === 'rule_unreadable') return '';
  if (now === null || now.verdict === 'failed') return 'Its window cannot be read again.';
  const more = now.samples - recorded.samples;
  if (more === 0 && sameValue(now.value, recorded.value)) return 'Read again, its window says the same.';
  const came = more > 0 ? `${counted(more)} came after it was evaluated: ` : more < 0 ? `${counted(-more)} are not kept any more: ` : '';
  const said = `its window is now ${formatValue(now.value, now.unit)}, of ${counted(now.samples)}.`;
  const text = came + said;
  const other = now.holds === null ? '' : now.holds ? ' By that the comparison holds.' : ' By that the comparison does not hold.';
  return text.charAt(0).toUpperCase() + text.slice(1) + other;
}

const sameValue = (a: number | null, b: number | null): boolean =>
  a === b || (a !== null && b !== null && Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)));

function toldWords({ kind, silent, deliveries }: SlotStory['told'][number]): string {
  if (silent !== null) return `Nobody was told that it was ${kind} (${silent}).`;
  if (deliveries.length === 0) return `That it was ${kind} has not been sent yet.`;
  const each = deliveries.map(({ channel, status, reason, attempts }) => {
    const why = reason === null ? '' : ` (${reason})`;
    return `${channel} ${status}${why}${attempts > 1 ? ` after ${attempts} attempts` : ''}`;
  });
  return `Told as ${kind}: ${each.join(', ')}.`;
}
