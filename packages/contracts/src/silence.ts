import { Matchers, MUTE_REASONS } from '@tocsin/domain';
import { z } from 'zod';
import { Alert } from './alert.ts';
import { PageQuery } from './page.ts';
import { Id, Time, TimeInput } from './primitives.ts';

export const SilenceComment = z
  .string()
  .trim()
  .max(1_000)
  .refine((text) => !text.includes('\u0000'), 'must not contain NUL')
  .default('');

/**
 * Until when: `duration` (`2h`) or `until`. With `onResolve` it ends with what it mutes, and then at the latest; 24 h where nothing else is
 * said.
 */
export const silenceEnd = { duration: z.string().max(20).optional(), until: TimeInput.optional(), onResolve: z.boolean().default(false) };

/** A whole silence. `startsAt` is now where it is left out or past. */
export const PutSilence = z.strictObject({
  matchers: Matchers.min(1),
  ...silenceEnd,
  startsAt: TimeInput.optional(),
  comment: SilenceComment,
});
export type PutSilence = z.infer<typeof PutSilence>;

/** A silence of one alert alone. */
export const SilenceAlert = z.strictObject({ ...silenceEnd, comment: SilenceComment });
export type SilenceAlert = z.infer<typeof SilenceAlert>;

export const UnsilenceAlert = z.strictObject({ comment: SilenceComment });

const STATUSES = ['pending', 'active', 'expired'] as const;

export const Silence = z.strictObject({
  id: Id,
  /** `pending` has not begun, `expired` is over. */
  status: z.enum(STATUSES),
  matchers: Matchers,
  startsAt: Time,
  /** Does not mute from this instant on. */
  endsAt: Time,
  onResolve: z.boolean(),
  /** `ended` by a person, `resolved` with what it muted; null: it ends, or ended, at its time. */
  endReason: z.enum(['ended', 'resolved']).nullable(),
  comment: z.string(),
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type Silence = z.infer<typeof Silence>;

export const ListSilences = z.strictObject({ ...PageQuery, status: z.enum(STATUSES).optional() });

export const PreviewSilence = z.strictObject({ matchers: Matchers.min(1) });

export const SilencePreview = z.strictObject({
  /** Open alerts that match; the newest 20 of them are shown. */
  now: z.strictObject({ alerts: z.int(), shown: z.array(Alert) }),
  /** What of the last 7 days it would have muted: alerts, and messages of them that were not suppressed. */
  lastWeek: z.strictObject({ alerts: z.int(), notifications: z.int() }),
  /** False: there were too many alerts to look at all of them, so there may be more. */
  complete: z.boolean(),
});
export type SilencePreview = z.infer<typeof SilencePreview>;

/** Why something is not told, and the id of what mutes it: the silence, the window, the inhibiting alert, or the alert itself. */
export const MutedBy = z.strictObject({ reason: z.enum(MUTE_REASONS), by: Id, until: Time.nullable() });
