import { z } from 'zod';
import type { Channel } from './channel.ts';

/**
 * A kind's configuration as JSON Schema (draft 2020-12), for forms: `title` and `description` are for people, `secret: true` marks what is stored
 * sealed and shown masked, `outbound: true` an address that is checked when saved.
 */
export const configSchema = (channel: Channel): Record<string, unknown> =>
  z.toJSONSchema(channel.config, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // a secret that is made where none is given is another one every time
      if (jsonSchema['secret'] === true) delete jsonSchema.default;
    },
  });
