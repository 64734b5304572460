import type { Channel } from './channel.ts';

type Fields = Record<string, unknown>;

/** More at once would be a list of old secrets that nobody remembers. */
const KEPT = 5;

/**
 * A channel's secrets with a new one in front of those that hold till now. Unchecked: parse the configuration with the channel's schema. Null: this
 * kind has no secret that can be exchanged so.
 * @param given the new secret; null: one is made
 */
export function rotateSecret({ rotates }: Channel, secrets: Fields, given: string | null): { secrets: Fields; secret: string } | null {
  if (rotates === undefined) return null;
  const before = [secrets[rotates.field] ?? []].flat();
  const secret = given ?? rotates.make();
  const held = [secret, ...before.filter((each) => each !== secret)].slice(0, KEPT);
  return { secrets: { ...secrets, [rotates.field]: held.length === 1 ? secret : held }, secret };
}

/** The secrets once those that were exchanged hold no longer. */
export function newestSecretOnly(channel: Channel | null, secrets: Fields): Fields {
  const field = channel?.rotates?.field;
  if (field === undefined) return secrets;
  const [newest] = [secrets[field]].flat();
  return newest === undefined ? secrets : { ...secrets, [field]: newest };
}
