import { channels, configSchema } from '@tocsin/channels';
import type { ChannelKind } from '@tocsin/contracts';
import type { Context } from '../context.ts';
import { verb } from '../verb.ts';

/** Every kind of channel there is, with what its configuration takes. */
export const listChannelKinds = verb(
  'channels:read',
  async (_asked: { ctx: Context; input: undefined }): Promise<{ data: ChannelKind[] }> => ({
    data: channels.map((channel) => ({ kind: channel.kind, label: channel.label, config: configSchema(channel) })),
  }),
);
