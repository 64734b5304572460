import { PHASES, SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Basis, Time, TimeInput } from './primitives.ts';

/** A range of at most 30 days. `step` thins the points that are shown; every slot of the rule is played all the same. */
const range = { from: TimeInput, to: TimeInput, step: z.string().max(20).optional() };

/** `rule` is a draft, in the words of `POST /rules`. */
export const PreviewRule = z.strictObject({ rule: z.unknown(), ...range });

/** The draft is that of the stored rule with these fields replaced, as in `PATCH /rules/{id}`. */
export const BacktestRule = z.strictObject({ rule: z.unknown(), ...range });

const Labels = z.record(z.string(), z.string());

const FiringSpan = z.strictObject({
  from: Time,
  /** Null: still open at the end of the range. */
  to: Time.nullable(),
  severity: z.enum(SEVERITIES),
  /** Its worst value; null where there was none. */
  peak: z.number().nullable(),
});

const PreviewSeries = z.strictObject({
  labels: Labels,
  /** Of each step the worst slot; `value` is null where there was no reading, `threshold` where it was not known. Empty past the points that are shown. */
  points: z.array(z.strictObject({ at: Time, value: z.number().nullable(), threshold: z.number().nullable(), state: z.enum(PHASES) })),
  firing: z.array(FiringSpan),
});

const PreviewCounts = z.strictObject({
  alerts: z.int(),
  /** Messages over all channels of the rule, after cooldown, reminders, each channel's least severity, and what was muted. */
  notifications: z.int(),
  /** Messages that silences and maintenance windows which covered that time would have kept back. */
  muted: z.int(),
  firingMs: z.int(),
  seriesAffected: z.int(),
});

const Warning = z.strictObject({ code: z.string(), message: z.string() });

export const Preview = z.strictObject({
  /** The rule in one sentence. */
  description: z.string(),
  /** The noisiest first. */
  series: z.array(PreviewSeries),
  /** How many there are; those past 100 are counted alone. */
  seriesTotal: z.int(),
  counts: PreviewCounts,
  warnings: z.array(Warning),
  /** How far the points lie apart. */
  step: z.string(),
  /** How many slots were played. */
  slots: z.int(),
  /** Of the first comparison; null: a bare number. */
  unit: z.string().nullable(),
  /** `hours` where any of its windows is so long. */
  basis: Basis,
});
export type Preview = z.infer<typeof Preview>;

const Side = z.strictObject({ description: z.string(), counts: PreviewCounts, warnings: z.array(Warning), basis: Basis });
const SideSpan = FiringSpan.extend({ labels: Labels });

export const Backtest = z.strictObject({
  stored: Side,
  draft: Side,
  /** Episodes of the one that no episode of the other overlaps. */
  onlyStored: z.array(SideSpan),
  onlyDraft: z.array(SideSpan),
  /** Episodes of both that overlap. */
  inBoth: z.int(),
  /** Messages that the draft would not have sent, or more than before if negative. */
  notificationsSaved: z.int(),
});
export type Backtest = z.infer<typeof Backtest>;
