import { channelOf } from '@tocsin/channels';
import type { ChannelRow } from '@tocsin/db';
import { invalid } from '../app-error.ts';

type WhenTold = Pick<ChannelRow, 'kind' | 'grouping' | 'quietHours' | 'digest' | 'digestBelow'>;

/** When a channel is told of what, as it is stored. Throws a 422 where what is asked for does not fit together. */
export function checkToldWhen({ kind, grouping, quietHours, digest, digestBelow }: WhenTold): Omit<WhenTold, 'kind' | 'grouping'> {
  const fault = (pointer: string, code: string, message: string) => invalid([{ pointer, code, message }]);
  if (digest === null) {
    if (digestBelow === null) return { quietHours, digest, digestBelow };
    throw fault(
      '/digestBelow',
      'needs_digest',
      'goes with a digest: say when it is told, such as {"every": "daily", "at": "09:00", "timeZone": "Europe/Berlin"}',
    );
  }
  const isApart = channelOf(kind)?.perAlert === true;
  if (isApart)
    throw fault(
      '/digest',
      'alerts_apart',
      `A channel of kind ${kind} is told of each alert by itself, so it has no digest. It may have quiet hours.`,
    );
  if (!grouping)
    throw fault(
      '/digest',
      'alerts_apart',
      'A channel with "grouping": false is told of each alert by itself, so it has no digest. It may have quiet hours.',
    );
  return { quietHours, digest, digestBelow: digestBelow ?? 'critical' };
}
