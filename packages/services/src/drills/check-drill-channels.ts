import type { DrizzleTx } from '@tocsin/db';
import { invalid } from '../app-error.ts';
import { unknownChannels } from '../routing/check-channels.ts';

/** Throws a 422 that names each channel that is not there, or is named twice. */
export async function checkDrillChannels(tx: DrizzleTx, tenantId: string, channels: readonly string[]): Promise<void> {
  const named = channels.map((channel, index) => ({ pointer: `/channels/${index}`, channel }));
  const twice = named.filter(({ channel }, index) => channels.indexOf(channel) < index);
  const unknown = await unknownChannels(tx, tenantId, named);
  const issues = [
    ...unknown,
    ...twice.map(({ pointer, channel }) => ({ pointer, code: 'duplicate', message: `'${channel}' is named twice.` })),
  ];
  if (issues.length > 0) throw invalid(issues);
}
