import { ACTION_EVENTS, Matchers } from '@tocsin/domain';
import { z } from 'zod';
import { Key, line, Time } from './primitives.ts';

const fields = {
  name: line(200),
  /** Empty: every alert. */
  matchers: Matchers.default([]),
  on: z.array(z.enum(ACTION_EVENTS)).min(1).max(ACTION_EVENTS.length),
  url: z.string().max(2_000),
  /** `whsec_…`. Left out: one is made, and stays when the action is replaced. */
  secret: z.string().max(200).optional(),
  enabled: z.boolean().default(true),
};

export const CreateRunbookAction = z.strictObject({ key: Key, ...fields });

/** The whole action but for its secret; its key is for ever. */
export const PutRunbookAction = z.strictObject(fields);

export const RunbookAction = z.strictObject({
  key: Key,
  name: z.string(),
  matchers: Matchers,
  on: z.array(z.enum(ACTION_EVENTS)),
  url: z.string(),
  /** Masked; only the answer to its creation shows one that was made for it. */
  secret: z.string(),
  enabled: z.boolean(),
  /** Why it was switched off by itself, as `http_410`; null: it was not. */
  disabledReason: z.string().nullable(),
  lastUsedAt: Time.nullable(),
  lastError: z.string().nullable(),
  version: z.int(),
  createdAt: Time,
  createdBy: z.string(),
  updatedAt: Time,
  updatedBy: z.string(),
});
export type RunbookAction = z.infer<typeof RunbookAction>;

/** All there are, at most 100, by key. */
export const RunbookActionList = z.strictObject({ data: z.array(RunbookAction) });
export type RunbookActionList = z.infer<typeof RunbookActionList>;
