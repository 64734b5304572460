import type { Deployment } from '@tocsin/testkit';
import postgres from 'postgres';

/** Lets tenants have slots finer than people may: what takes twenty minutes then takes twenty seconds, through the same code. */
export async function fastSlots({ database }: Deployment, everyMs: number): Promise<void> {
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  await admin.unsafe(`
    alter table tocsin.schedules drop constraint schedules_every_ms_check, drop constraint schedules_slot_every_ms_check;
    alter table tocsin.schedules alter every_ms set default ${everyMs}, alter slot_every_ms set default ${everyMs};
    update tocsin.schedules set every_ms = ${everyMs}, slot_every_ms = ${everyMs}`);
  await admin.end();
}
