import type { RuleSpec } from '@tocsin/domain';
import { createHash } from 'node:crypto';

/** An event a pack's rules look at, in words for whoever has to send it. */
interface LooksAt {
  event: string;
  means: string;
  dims: Record<string, string>;
  measures: Record<string, string>;
}

/** A rule as a file holds it, in canonical words. */
export interface PackRule {
  spec: RuleSpec;
  enabled: boolean;
}

/** Rules that belong together and are installed together. */
export interface Pack {
  key: string;
  name: string;
  description: string;
  looksAt: readonly LooksAt[];
  rules: readonly PackRule[];
  /** Another one when anything of its rules is another. */
  digest: string;
}

/** SHA-256 of a value's JSON, whatever the order of its fields. */
export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(inOrder(value)))
    .digest('hex');

/** Of a rule's words without its channels: those are chosen for a pack, and choosing is not editing. */
export function wordsDigest(spec: unknown): string {
  const { notify: _, ...words } = typeof spec === 'object' && spec !== null ? (spec as Record<string, unknown>) : {};
  return digestOf(words);
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, inOrder(each)]));
}
