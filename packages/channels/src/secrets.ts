import { z } from 'zod';
import type { Channel } from './channel.ts';

type Fields = Record<string, unknown>;

const MASK = '••••';
/** A secret this short would be half given away by its last four characters. */
const LAST_FOUR_FROM = 12;

/** Names of the fields that are stored sealed. */
export const secretFields = (channel: Channel): string[] => fieldsMarked(channel, 'secret');

/** The addresses a configuration asks us to call, each with its JSON pointer within the configuration. */
export function outboundUrls(channel: Channel, config: Fields): { pointer: string; url: string }[] {
  return fieldsMarked(channel, 'outbound').flatMap((field) => {
    const url = config[field];
    return typeof url === 'string' ? [{ pointer: `/${field}`, url }] : [];
  });
}

/** Parts a checked configuration into what may be stored readable and what must be sealed. */
export function splitSecrets(channel: Channel, config: Fields): { config: Fields; secrets: Fields } {
  const isSecret = new Set(secretFields(channel));
  const entries = Object.entries(config);
  return {
    config: Object.fromEntries(entries.filter(([field]) => !isSecret.has(field))),
    secrets: Object.fromEntries(entries.filter(([field]) => isSecret.has(field))),
  };
}

/** The whole configuration as people may see it: of every secret text the last four characters at most. */
export const maskSecrets = (config: Fields, secrets: Fields): Fields => ({ ...config, ...mapValues(secrets, masked) });

/**
 * An edited configuration with the stored secrets put back: a secret field that is missing or is still the mask people were shown stays
 * as it was. The result is unchecked: parse it with the channel's schema.
 */
export function mergeSecrets(channel: Channel, edited: Fields, stored: Fields): Fields {
  const merged = { ...edited };
  for (const field of secretFields(channel)) {
    if (!(field in stored)) continue;
    merged[field] = field in edited ? unmasked(edited[field], stored[field]) : stored[field];
  }
  return merged;
}

/** Every text within a value. */
export function leaves(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [];
}

function masked(value: unknown): unknown {
  if (typeof value === 'string') return value.length < LAST_FOUR_FROM ? MASK : MASK + value.slice(-4);
  if (Array.isArray(value)) return value.map(masked);
  return isFields(value) ? mapValues(value, masked) : value;
}

/** Puts the stored text wherever its own mask came back, item by item. */
function unmasked(edited: unknown, stored: unknown): unknown {
  if (typeof edited === 'string') return leaves(stored).find((text) => masked(text) === edited && edited.startsWith(MASK)) ?? edited;
  if (Array.isArray(edited)) return edited.map((item: unknown) => unmasked(item, stored));
  return isFields(edited) ? mapValues(edited, (item, key) => unmasked(item, isFields(stored) ? stored[key] : stored)) : edited;
}

const mapValues = (fields: Fields, change: (value: unknown, key: string) => unknown): Fields =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, change(value, key)]));

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldsMarked(channel: Channel, mark: 'secret' | 'outbound'): string[] {
  return Object.entries(channel.config.shape)
    .filter(([, field]) => field instanceof z.ZodType && field.meta()?.[mark] === true)
    .map(([name]) => name);
}
