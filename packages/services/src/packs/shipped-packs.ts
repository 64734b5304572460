import { PLATFORM_TENANT_ID } from '@tocsin/domain';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from '../context.ts';
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

/** Looks at events that the installation's own tenant alone has. */
export const SELF_WATCH = 'self-watch';

export const packsOf = ({ packs, tenantId }: Pick<Context, 'packs' | 'tenantId'>): readonly Pack[] =>
  (packs ?? shippedPacks()).filter(({ key }) => key !== SELF_WATCH || tenantId === PLATFORM_TENANT_ID);
