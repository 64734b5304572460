import type { EpochMs, Notification } from '@tocsin/domain';
import type { z } from 'zod';
import type { Outside } from './outside.ts';
import type { Verdict } from './verdict.ts';

/** What stays the same through all attempts of a delivery, and the instant of this one. */
export interface Sending {
  deliveryId: string;
  alertId: string | null;
  nowMs: EpochMs;
}

/** What a kind of channel has to want. */
type OptionalKind = 'acknowledged';

export interface ChannelDefinition<Config extends z.ZodObject> {
  kind: string;
  /** For people. */
  label: string;
  /** Fields marked `.meta({ secret: true })` are stored sealed and shown masked; those with `outbound: true` hold an address to check. */
  config: Config;
  /** Beyond what opens, changes and ends an alert, which every kind hears; absent: nothing. */
  hears?: readonly OptionalKind[];
  /** Pure, so that every message is pinned by a snapshot. The text is frozen by the first attempt: repeats send the same bytes. */
  render: (notification: Notification) => string;
  /** Sends once and says how it ended; retrying is the dispatcher's. Rejects only for faults of our own, such as a database away. */
  deliver: (body: string, config: z.output<Config>, outside: Outside, sending: Sending) => Promise<Verdict>;
}

/** A channel as its users see it: the configuration is checked inside, so that kinds fit one table. */
export interface Channel extends Omit<ChannelDefinition<z.ZodObject>, 'deliver'> {
  deliver: (body: string, config: unknown, outside: Outside, sending: Sending) => Promise<Verdict>;
}

export function defineChannel<Config extends z.ZodObject>(definition: ChannelDefinition<Config>): Channel {
  return {
    ...definition,
    async deliver(body, config, outside, sending) {
      const parsed = definition.config.safeParse(config);
      if (parsed.success) return definition.deliver(body, parsed.data, outside, sending);
      return { outcome: 'rejected', reason: 'config_invalid', disable: false, statusCode: null, responseExcerpt: null };
    },
  };
}
