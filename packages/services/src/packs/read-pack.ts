import { CreateChannel } from '@tocsin/contracts';
import { RULE_BOUNDS } from '@tocsin/domain';
import { z } from 'zod';
import { parse } from '../parse.ts';
import { FileFaults } from './file-faults.ts';
import { digestOf, type Pack } from './pack.ts';
import { readPackRules } from './read-pack-rules.ts';
import { readYaml } from './read-yaml.ts';

const line = (max: number) => z.string().trim().min(1).max(max);
const Names = z.record(z.string(), line(500));

const PackFile = z.strictObject({
  version: z.literal(1),
  /** Like a channel's or a rule's. */
  key: CreateChannel.shape.key,
  name: line(200),
  description: line(2_000),
  looksAt: z.array(z.strictObject({ event: line(200), means: line(500), dims: Names, measures: Names })).min(1),
  rules: z.array(z.unknown()).min(1),
});

/** The key of what comes from the installation's own file; no pack may have it. */
export const CONFIG_PACK = 'config';

/** A pack from its file's text. Throws CannotStart that names every fault with its line. */
export function readPack(text: string, file: string): Pack {
  const yaml = readYaml(text, file);
  const faults = new FileFaults(file, yaml);
  const read = faults.attempt('', () => parse(PackFile, yaml.value));
  const rules = read === null ? [] : readPackRules(read.rules, RULE_BOUNDS, faults);
  if (read?.key === CONFIG_PACK) faults.add('/key', 'conflict', `'${CONFIG_PACK}' is the key of the installation's own rules`);
  for (const [index, { spec }] of rules.entries()) {
    if (spec.notify.length > 0) faults.add(`/rules/${index}/notify`, 'conflict', 'channels are chosen where a pack is installed');
  }
  faults.throwIfAny();
  if (read === null) throw new Error('a pack without faults was not read');
  const { key, name, description, looksAt } = read;
  return { key, name, description, looksAt, rules, digest: digestOf(rules) };
}
