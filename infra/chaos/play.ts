import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.ts';
import type { Ingest } from './ingest.ts';
import type { Receivers } from './receivers.ts';
import type { ScriptedTenant, Track } from './script.ts';

export interface Played {
  track: Track;
  /** Kinds of triggers that there must be, in this order, and no others. */
  expected: string[];
  /** From each acknowledged change of the level to its message. */
  toldMs: number[];
  /** Null: every step was told in time. */
  stuck: string | null;
}

export interface Stage {
  ingest: Ingest;
  receivers: Receivers;
  dice: Dice;
  isOver: () => boolean;
}

/** From the end of the trouble on; longer than any takes to be got over. */
const TOLD_WITHIN_MS = 240_000;
const LOOK_MS = 20;
const HOLD_MS = 2_000;

/** Raises and lowers the level of a track, each time once the last change was told, and ends on a lowered one. */
export async function play(track: Track, { ingest, receivers, dice, isOver }: Stage): Promise<Played> {
  const played: Played = { track, expected: [], toldMs: [], stuck: null };
  const { tenant, ruleKey, series } = track;
  let lastTs = 0;
  while (played.stuck === null && !(isOver() && played.expected.length % 2 === 0)) {
    const isRaised = played.expected.length % 2 === 0;
    lastTs = Math.max(lastTs + 1, Date.now());
    const event = { ts: new Date(lastTs).toISOString(), name: ruleKey, dims: { series }, measures: { level: isRaised ? 1 : 0 } };
    await ingest.send(tenant, [event]);
    played.expected.push(isRaised ? 'fired' : 'resolved');
    const sentMs = performance.now();
    const told = (): readonly string[] => receivers.told(tenant.externalKey, 'steady', ruleKey, series);
    let waitedMs = 0;
    while (told().length < played.expected.length && waitedMs < TOLD_WITHIN_MS) {
      await sleep(LOOK_MS);
      if (isOver()) waitedMs += LOOK_MS;
    }
    played.toldMs.push(performance.now() - sentMs);
    if (told().length < played.expected.length) {
      played.stuck = `${tenant.externalKey} ${ruleKey} ${series}: step ${played.expected.length} was not told within ${TOLD_WITHIN_MS / 1_000} s`;
    } else await sleep(dice.between(0, HOLD_MS));
  }
  return played;
}

const NOISE_EVERY_MS = 400;
const NOISE_EVENTS = 20;
export const NOISE = 'noise';

/** Batches of events that no rule looks at, to be counted at the end. */
export async function makeNoise(tenant: ScriptedTenant, { ingest, dice, isOver }: Stage): Promise<void> {
  let number = 0;
  while (!isOver()) {
    const ts = new Date(Date.now()).toISOString();
    const events = Array.from({ length: NOISE_EVENTS }, () => ({ ts, name: NOISE, dims: { env: 'prod' }, measures: { number: ++number } }));
    await ingest.send(tenant, events);
    await sleep(dice.between(0, 2 * NOISE_EVERY_MS));
  }
}
