import { renderTemplate, type TemplateValues, type WebhookBody } from '@tocsin/domain';
import { z } from 'zod';

const TEMPLATE_MAX = 16_384;
const DEPTH_MAX = 16;

type Json = z.infer<ReturnType<typeof z.json>>;
export type BodyTemplate = Json;

/**
 * JSON in whose texts `{{ alert.value }}` and the like are filled in, each within 4 KiB. A text that is one name alone becomes what the name is, a number
 * for one. So whatever is filled in, what comes out is JSON.
 */
export const bodyTemplate = z
  .json()
  .refine((template) => JSON.stringify(template).length <= TEMPLATE_MAX, `must be at most ${TEMPLATE_MAX} characters as JSON`)
  .refine((template) => depthOf(template) <= DEPTH_MAX, `must be at most ${DEPTH_MAX} deep`)
  .superRefine((template, context) => {
    for (const name of namesIn(template))
      if (!isKnown(name)) context.addIssue({ code: 'custom', message: `has {{ ${name} }}, which no message has` });
  });

/** What the template says of the frozen body, as JSON text. */
export function filledIn(template: Json, body: WebhookBody, words: { title: string; sentence: string; text: string }): string {
  const { id, type, timestamp, tenant, data } = body;
  const alert = Object.fromEntries(ALERT.map((name) => [name, data.alert[name] ?? null]));
  const common = { id, type, timestamp, tenant, rule: { ...data.rule }, context: data.context, ...words };
  const { labels } = data.alert;
  return JSON.stringify(
    fill(template, {
      whole: { ...common, alert: { ...alert, labels } },
      // what there is not is nothing in the midst of a text
      within: { ...common, alert: { ...Object.fromEntries(Object.entries(alert).map(([name, value]) => [name, value ?? ''])), labels } },
    }),
  );
}

interface Values {
  /** For a text that is one name alone. */
  whole: TemplateValues;
  within: TemplateValues;
}

function fill(template: Json, values: Values): Json {
  if (typeof template === 'string') {
    const whole = asItIs(template, values.whole);
    return whole === undefined ? renderTemplate(template, values.within) : whole;
  }
  if (Array.isArray(template)) return template.map((item) => fill(item, values));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, fill(value, values)]));
}

/** The number, truth value or null that a text stands for by its one name; undefined: it stands for a text, or for more than that. */
function asItIs(text: string, values: TemplateValues): number | boolean | null | undefined {
  const [, path] = ALONE.exec(text) ?? [];
  if (path === undefined) return undefined;
  let value: TemplateValues[string] = values;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
}

const NAME = String.raw`[A-Za-z_][\w-]*(?:\.[\w-]+)*`;
const ALONE = new RegExp(String.raw`^\{\{\s*(${NAME})\s*\}\}$`);
const ANY = new RegExp(String.raw`\{\{\s*(${NAME})\s*\}\}`, 'g');

function namesIn(template: Json): string[] {
  if (typeof template === 'string') return [...template.matchAll(ANY)].map(([, name = '']) => name);
  return typeof template === 'object' && template !== null ? Object.values(template).flatMap(namesIn) : [];
}

const ALERT = [
  'id',
  'name',
  'alertType',
  'cause',
  'category',
  'acknowledgedBy',
  'status',
  'severity',
  'metric',
  'aggregation',
  'operator',
  'value',
  'threshold',
  'unit',
  'window',
  'samples',
  'why',
  'flapping',
  'peak',
  'excess',
  'startedAt',
  'resolvedAt',
  'url',
] as const;
const NAMES = new Set([
  'id',
  'type',
  'timestamp',
  'title',
  'sentence',
  'text',
  'tenant.id',
  'tenant.externalKey',
  'rule.id',
  'rule.key',
  'rule.name',
  ...ALERT.map((name) => `alert.${name}`),
]);

/** Labels and annotations are named by people. */
const isKnown = (name: string): boolean => NAMES.has(name) || /^(alert\.labels|context)\.[\w-]+$/.test(name);

const depthOf = (value: Json): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
