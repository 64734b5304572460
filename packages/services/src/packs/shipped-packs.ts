import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Services } from '../context.ts';
import type { Pack } from './pack.ts';
import { readPack } from './read-pack.ts';

/** The checkout, or its like in an image. */
export const CHECKOUT = join(import.meta.dirname, '../../../..');

let shipped: readonly Pack[] | null = null;

/** Those in `packs/`, in the order of their files. Throws CannotStart when one is broken. */
export function shippedPacks(): readonly Pack[] {
  const folder = join(CHECKOUT, 'packs');
  shipped ??= readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => readPack(readFileSync(join(folder, name), 'utf8'), `packs/${name}`));
  return shipped;
}

export const packsOf = ({ packs }: Services): readonly Pack[] => packs ?? shippedPacks();
