import { SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { PageQuery } from './page.ts';
import { Id, Key, Time } from './primitives.ts';

const Channels = z.array(Key).min(1).max(20);

export const StartDrill = z.strictObject({ channels: Channels, severity: z.enum(SEVERITIES).default('critical') });

/** `cron` and `timeZone` as in a tenant's schedule, an hour apart at least. */
export const PutDrillSchedule = z.strictObject({
  cron: z.string().min(1).max(200),
  timeZone: z.string().min(1).max(100).default('UTC'),
  channels: Channels,
  severity: z.enum(SEVERITIES).default('critical'),
});

export const DrillSchedule = z.strictObject({
  cron: z.string(),
  timeZone: z.string(),
  channels: z.array(z.string()),
  severity: z.enum(SEVERITIES),
  /** Null: the expression names no more instants. */
  nextAt: Time.nullable(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type DrillSchedule = z.infer<typeof DrillSchedule>;

export const ListDrills = z.strictObject(PageQuery);

/** When, and how long after the drill began; both null: not yet, or never. */
const Stage = z.strictObject({ at: Time.nullable(), afterMs: z.int().nullable() });

export const Drill = z.strictObject({
  id: Id,
  /** `passed`: it arrived at every channel, within two minutes. */
  status: z.enum(['running', 'passed', 'failed']),
  severity: z.enum(SEVERITIES),
  scheduled: z.boolean(),
  startedAt: Time,
  startedBy: z.string(),
  finishedAt: Time.nullable(),
  /** Null until it fires. */
  alertId: Id.nullable(),
  stages: z.strictObject({ stored: Stage, evaluated: Stage, triggered: Stage, planned: Stage }),
  channels: z.array(
    z.strictObject({
      channel: z.string(),
      deliveryId: Id.nullable(),
      /** Of the delivery; null: none is planned. */
      status: z.string().nullable(),
      reason: z.string().nullable(),
      reasonText: z.string().nullable(),
      attempts: z.int(),
      firstAttempt: Stage,
      /** Of its end, whatever that is. */
      finished: Stage,
    }),
  ),
});
export type Drill = z.infer<typeof Drill>;
