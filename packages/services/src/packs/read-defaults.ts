import { CreateChannel } from '@tocsin/contracts';
import { didYouMean } from '@tocsin/domain';
import { CannotStart } from '@tocsin/runtime';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { boundsOf, type ServiceBounds } from '../bounds.ts';
import { channelOfKind } from '../channels/check-config.ts';
import { parse } from '../parse.ts';
import { FileFaults } from './file-faults.ts';
import { type Environment, fillInEnvironment, refuseVariables } from './fill-in-environment.ts';
import { digestOf, type PackRule } from './pack.ts';
import { readPackRules } from './read-pack-rules.ts';
import { readYaml } from './read-yaml.ts';
import { CHECKOUT } from './shipped-packs.ts';

/** What else a channel may say, such as its fallback or its quiet hours, is for a tenant's people to say. */
const FileChannel = CreateChannel.omit({
  fallback: true,
  maxPerMinute: true,
  grouping: true,
  quietHours: true,
  digest: true,
  digestBelow: true,
});
/** A channel of the file; its configuration is checked, without what is made anew for each tenant. */
export type DefaultChannel = z.output<typeof FileChannel>;

/** What every tenant begins with. */
export interface Defaults {
  channels: readonly DefaultChannel[];
  rules: readonly PackRule[];
  /** Another one when anything in it, or in an address that was filled in, is another. */
  digest: string;
}

const DefaultsFile = z.strictObject({
  version: z.literal(1),
  channels: z.array(z.unknown()).default([]),
  rules: z.array(z.unknown()).default([]),
});

/** What `TOCSIN_RULES_FILE` says when there are to be no defaults. */
const NONE = 'none';

export interface DefaultsOptions {
  /** A path; undefined: `config/rules.yaml` of the checkout, where there is one. */
  file: string | undefined;
  env: Environment;
  bounds?: ServiceBounds;
}

/** The installation's own rules and channels; null: there are none. Throws CannotStart for a file that is missing or broken. */
export function readDefaults({ file, env, bounds = boundsOf({}) }: DefaultsOptions): Defaults | null {
  const path = file ?? join(CHECKOUT, 'config/rules.yaml');
  if (file === NONE || (file === undefined && !existsSync(path))) return null;
  const shown = file ?? relative(CHECKOUT, path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new CannotStart(`TOCSIN_RULES_FILE names ${shown}, which cannot be read (${code})`, { cause: error });
  }
  return parseDefaults(text, shown, env, bounds);
}

/** The same from the file's text. Throws CannotStart that names every fault with its line. */
export function parseDefaults(text: string, file: string, env: Environment, bounds: ServiceBounds = boundsOf({})): Defaults {
  const yaml = readYaml(text, file);
  const faults = new FileFaults(file, yaml);
  const read = faults.attempt('', () => parse(DefaultsFile, yaml.value)) ?? { channels: [], rules: [] };
  const channels = read.channels.flatMap((input, index) => readChannel(input, `/channels/${index}`, env, faults) ?? []);
  refuseVariables(read.rules, '/rules', faults);
  const rules = readPackRules(read.rules, bounds.rule, faults);
  if (rules.length > bounds.rulesPerTenant) faults.add('/rules', 'too_many', `a tenant has at most ${bounds.rulesPerTenant} rules`);
  for (const [index, { key }] of channels.entries()) {
    if (channels.findIndex((other) => other.key === key) < index)
      faults.add(`/channels/${index}/key`, 'duplicate', `there is a channel '${key}' above`);
  }
  const known = channels.map(({ key }) => key);
  for (const { spec } of rules) {
    for (const { channel } of spec.notify.filter((target) => !known.includes(target.channel))) {
      const index = read.rules.findIndex((input) => keyOf(input) === spec.key);
      const message = `there is no channel '${channel}' in this file.${didYouMean(channel, known)}`;
      faults.add(`/rules/${Math.max(index, 0)}/notify`, 'unknown_channel', message);
    }
  }
  faults.throwIfAny();
  return { channels, rules, digest: digestOf({ channels, rules }) };
}

function readChannel(input: unknown, at: string, env: Environment, faults: FileFaults): DefaultChannel | null {
  const read = faults.attempt(at, () => parse(FileChannel, input));
  if (read === null) return null;
  const { config: written, ...rest } = read;
  refuseVariables(rest, at, faults);
  const channel = faults.attempt(at, () => channelOfKind(read.kind));
  if (channel === null) return null;
  const config = fillInEnvironment(written, channel, env, `${at}/config`, faults) as DefaultChannel['config'];
  // What it answers holds secrets made for one tenant, so only whether it is sound counts here.
  faults.attempt(at, () => parse(channel.config, config, 'body', ['config']));
  return { ...read, config };
}

const keyOf = (input: unknown): unknown => (typeof input === 'object' && input !== null && 'key' in input ? input.key : undefined);
