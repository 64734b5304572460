import { ALERT_TYPE_NAMES, Inhibition, INHIBITIONS_MAX, Route, ROUTES_MAX, SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Key, Time } from './primitives.ts';
import { MutedBy } from './silence.ts';
import { ToldLater } from './told-when.ts';

/** `version` is 0, and `updatedAt` null, until somebody writes the list. */
const written = { version: z.int(), updatedAt: Time.nullable(), updatedBy: z.string().nullable() };

/** The whole list, in order. */
export const PutRoutes = z.strictObject({ routes: z.array(Route).max(ROUTES_MAX) });
export const Routes = z.strictObject({ routes: z.array(Route), ...written });
export type Routes = z.infer<typeof Routes>;

export const PutInhibitions = z.strictObject({ inhibitions: z.array(Inhibition).max(INHIBITIONS_MAX) });
export const Inhibitions = z.strictObject({ inhibitions: z.array(Inhibition), ...written });
export type Inhibitions = z.infer<typeof Inhibitions>;

/** An alert that might be. Without `rule` it is of none, and routes alone say who hears. */
export const TestRoutes = z.strictObject({
  labels: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  severity: z.enum(SEVERITIES).default('warning'),
  rule: Key.optional(),
  alertType: z.enum(ALERT_TYPE_NAMES).default('custom'),
});

export const RouteTest = z.strictObject({
  /** The routes it takes, by their place in the list. */
  routes: z.array(z.int()),
  channels: z.array(
    z.strictObject({
      channel: z.string(),
      hears: z.boolean(),
      /** Why it does not, as in `GET /deliveries`; null: it does. */
      reason: z.string().nullable(),
      /** What it would wait for just now; null: it hears at once, or not at all. */
      waits: ToldLater.nullable(),
      /** Where it is named: `rule`, or a route by its place. */
      from: z.array(z.union([z.literal('rule'), z.int()])),
    }),
  ),
  /** Null: nothing mutes it just now. */
  muted: MutedBy.nullable(),
});
export type RouteTest = z.infer<typeof RouteTest>;
