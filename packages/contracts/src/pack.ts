import { SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, Key } from './primitives.ts';

const Names = z.record(z.string(), z.string());
const Notify = z.array(z.strictObject({ channel: Key, minSeverity: z.enum(SEVERITIES) }));

const PACK_ACTIONS = ['create', 'update', 'retire', 'unchanged', 'kept'] as const;

/** What an installation does to a rule: `retire` switches off what is shipped no more, `kept` leaves alone what is the tenant's. */
const Change = {
  action: z.enum(PACK_ACTIONS),
  /** Why it is kept: `own_rule`, `changed` or `deleted`; null otherwise. */
  reason: z.enum(['own_rule', 'changed', 'deleted']).nullable(),
};

const PackRule = z.strictObject({
  key: z.string(),
  name: z.string(),
  /** The rule in one sentence. */
  description: z.string(),
  /** The reason for its threshold. */
  why: z.string(),
  /** The tenant's rule that came with the pack; null: there is none. */
  ruleId: Id.nullable(),
  enabled: z.boolean().nullable(),
  ...Change,
});

export const Pack = z.strictObject({
  key: z.string(),
  name: z.string(),
  description: z.string(),
  /** The events its rules look at. */
  looksAt: z.array(z.strictObject({ event: z.string(), means: z.string(), dims: Names, measures: Names })),
  installed: z.boolean(),
  /** Whether every rule of it that is the tenant's is switched on; null: it is not installed. */
  enabled: z.boolean().nullable(),
  /** Installing it again would change something. */
  updateAvailable: z.boolean(),
  /** The channels its rules tell; null: it is not installed. */
  notify: Notify.nullable(),
  /** `action` and `reason` say what installing it now would do. */
  rules: z.array(PackRule),
});
export type Pack = z.infer<typeof Pack>;

export const PackList = z.strictObject({ data: z.array(Pack) });
export type PackList = z.infer<typeof PackList>;

/** `notify` as in a rule; what it means is the rule parser's to say. */
export const InstallPack = z.strictObject({ notify: z.unknown().optional() });
export const InstallPackQuery = z.strictObject({ dryRun: z.enum(['true', 'false']).default('false') });

export const PackInstallation = z.strictObject({
  key: z.string(),
  dryRun: z.boolean(),
  notify: Notify,
  changes: z.array(z.strictObject({ key: z.string(), ruleId: Id.nullable(), ...Change })),
});
export type PackInstallation = z.infer<typeof PackInstallation>;

/** Keys of the rules that were switched on or off; those that were so already are not among them. */
export const PackSwitch = z.strictObject({ key: z.string(), changed: z.array(z.string()) });
export type PackSwitch = z.infer<typeof PackSwitch>;

/** Keys of the rules that are gone, and of those that stay because people changed them. */
export const PackRemoval = z.strictObject({ key: z.string(), deleted: z.array(z.string()), kept: z.array(z.string()) });
export type PackRemoval = z.infer<typeof PackRemoval>;
