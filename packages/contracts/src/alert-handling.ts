import { ALERT_STATUSES } from '@tocsin/domain';
import { z } from 'zod';
import { AlertFilter } from './alert.ts';
import { Id, line, sought, Time, TimeInput } from './primitives.ts';
import { silenceEnd, SilenceComment } from './silence.ts';

const NOTE_MAX = 4_000;
const BULK_MAX = 500;

/** Several lines of text as people type them. */
const text = z
  .string()
  .trim()
  .min(1)
  .max(NOTE_MAX)
  .refine((said) => !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(said), 'must not contain control characters');

/** The body of acknowledge, unacknowledge and of a mark as noise, if there is one. */
export const AlertNote = z.strictObject({ note: text.optional() });

export const ResolveAlert = z.strictObject({ notes: text.optional() });

export const CommentAlert = z.strictObject({ text });

export const AssignAlert = z.strictObject({ assignee: line(200) });

const BULK_ACTIONS = ['acknowledge', 'resolve', 'silence', 'delete'] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/** Up to 500 alerts, named or found; of more that are found the newest, and `hasMore` says so. */
export const BulkAlerts = z
  .strictObject({
    action: z.enum(BULK_ACTIONS),
    ids: z
      .array(Id.transform((id) => id.toLowerCase()))
      .min(1)
      .max(BULK_MAX)
      .optional(),
    filter: AlertFilter.optional(),
    note: text.optional(),
    notes: text.optional(),
    ...silenceEnd,
    comment: SilenceComment,
  })
  .superRefine(({ action, ids, filter, note, notes, comment, duration, until, onResolve }, context) => {
    const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((ids === undefined) === (filter === undefined)) fault(ids === undefined ? 'ids' : 'filter', 'say either `ids` or `filter`');
    if (note !== undefined && action !== 'acknowledge') fault('note', 'is for `acknowledge` alone');
    if (notes !== undefined && action !== 'resolve') fault('notes', 'is for `resolve` alone');
    if (action === 'silence') return;
    const said = { duration: duration !== undefined, until: until !== undefined, onResolve, comment: comment !== '' };
    for (const [field, isSaid] of Object.entries(said)) if (isSaid) fault(field, 'is for `silence` alone');
  });

export const BulkResult = z.strictObject({
  id: Id,
  /** `unchanged`: it was so already. */
  result: z.enum(['done', 'unchanged', 'failed']),
  /** As it is now; null: deleted, or not there. */
  status: z.enum(ALERT_STATUSES).nullable(),
  /** Of `failed`: a code of the registry, and what to read. */
  code: z.string().nullable(),
  detail: z.string().nullable(),
});
export type BulkResult = z.infer<typeof BulkResult>;

/** One result for each id, in the order asked for; found ones newest first. */
export const BulkAnswer = z.strictObject({
  data: z.array(BulkResult),
  counts: z.strictObject({ done: z.int(), unchanged: z.int(), failed: z.int() }),
  /** The filter finds more than were handled. */
  hasMore: z.boolean(),
});
export type BulkAnswer = z.infer<typeof BulkAnswer>;

const MISSED_MAX_MS = 30 * 86_400_000;
const LabelName = sought(100).refine((name) => name === name.trim(), 'must not begin or end with a space');
const Labels = z.record(LabelName, z.string().max(256)).refine((labels) => Object.keys(labels).length <= 32, 'has more than 32 labels');

/** Trouble that no alert told of: at most 30 days, which is as far as a backtest plays. */
export const ReportMissed = z
  .strictObject({ from: TimeInput, to: TimeInput, labels: Labels.default({}), note: text.optional(), ruleId: Id.optional() })
  .superRefine(({ from, to }, context) => {
    if (to <= from) context.addIssue({ code: 'custom', path: ['to'], message: 'must be later than `from`' });
    else if (to - from > MISSED_MAX_MS) context.addIssue({ code: 'custom', path: ['to'], message: 'must be at most 30 days after `from`' });
  });

export const MissedAlert = z.strictObject({
  id: Id,
  from: Time,
  to: Time,
  labels: z.record(z.string(), z.string()),
  note: z.string().nullable(),
  ruleId: Id.nullable(),
  createdAt: Time,
  createdBy: z.string(),
  /** What to ask next: how a rule would have done over that time. `body.rule` is yours to fill in: the fields that differ, or a whole draft. */
  backtest: z.strictObject({
    method: z.literal('POST'),
    path: z.string(),
    body: z.strictObject({ rule: z.record(z.string(), z.unknown()), from: Time, to: Time }),
  }),
});
export type MissedAlert = z.infer<typeof MissedAlert>;
