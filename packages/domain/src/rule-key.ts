import { RULE_BOUNDS } from './rule-bounds.ts';

/** A key made of a name: `Checkout p95 (EU)` is `checkout-p95-eu`. A name without Latin letters or digits gives `rule`. */
export function ruleKey(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase();
  const slug = plain
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, RULE_BOUNDS.keyLength)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'rule' : slug;
}
