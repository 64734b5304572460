import { z } from 'zod';
import { type MatchedAlert, Matchers, matches } from './matchers.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import { SEVERITIES } from './severity.ts';

export const ROUTES_MAX = 200;

const Key = z
  .string()
  .max(RULE_BOUNDS.keyLength)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, "must be lower-case letters, digits, '.', '_' or '-', starting with a letter or digit");

/** Who hears of alerts that match, beside those the rule names. Without matchers: of all. */
export const Route = z.strictObject({
  matchers: Matchers.default([]),
  channels: z
    .array(z.strictObject({ channel: Key, minSeverity: z.enum(SEVERITIES).default('info') }))
    .min(1)
    .max(RULE_BOUNDS.channels),
  /** The routes after it are looked at, too. */
  continue: z.boolean().default(false),
});
export type Route = z.infer<typeof Route>;

/** The routes an alert takes, in their order, by their place in the list: the first that matches, and on as long as these say `continue`. */
export function routesTaken(routes: readonly Route[], alert: MatchedAlert): number[] {
  const taken: number[] = [];
  for (const [index, route] of routes.entries()) {
    if (!matches(route.matchers, alert)) continue;
    taken.push(index);
    if (!route.continue) break;
  }
  return taken;
}
