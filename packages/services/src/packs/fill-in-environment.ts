import { type Channel, outboundUrls, secretFields } from '@tocsin/channels';
import type { FileFaults } from './file-faults.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type Fields = Record<string, unknown>;

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/**
 * `${NAME}` in the addresses of a channel's configuration: in fields that are called, or that are no secrets. What is not set goes into `faults` by
 * its name, as does a variable in any other field. Values are in no message.
 */
export function fillInEnvironment(config: Fields, channel: Channel, env: Environment, at: string, faults: FileFaults): Fields {
  const called = new Set(outboundUrls(channel, config).map(({ pointer }) => pointer));
  const secrets = new Set(secretFields(channel));
  const fill = (value: unknown, pointer: string): unknown => {
    if (Array.isArray(value)) return value.map((item, index) => fill(item, `${pointer}/${index}`));
    if (typeof value !== 'string') return value;
    return value.replaceAll(VARIABLE, (_, name: string) => {
      const found = env[name] ?? '';
      if (found === '') faults.add(pointer, 'unset_variable', `the variable ${name} is not set`);
      return found;
    });
  };
  return Object.fromEntries(
    Object.entries(config).map(([field, value]) => {
      const pointer = `${at}/${field}`;
      if (called.has(`/${field}`) || !secrets.has(field)) return [field, fill(value, pointer)];
      refuseVariables(value, pointer, faults);
      return [field, value];
    }),
  );
}

/** Complains of every `${NAME}` in what holds no address. */
export function refuseVariables(value: unknown, at: string, faults: FileFaults): void {
  if (typeof value === 'string' && value.search(VARIABLE) >= 0)
    faults.add(at, 'conflict', '${…} is filled in in addresses of channels alone; write it out');
  if (typeof value !== 'object' || value === null) return;
  for (const [key, each] of Object.entries(value)) refuseVariables(each, `${at}/${key}`, faults);
}
