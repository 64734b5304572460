import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from '../storm.ts';

/**
 * `kill -9` of whoever the dice name, whether up or still starting, `kills` times, `everyMs` apart on average; later where so many are down that
 * nothing would be left to disturb.
 */
export function randomKills(kills: number, everyMs: number): (target: Target) => Promise<void> {
  return async ({ fleet, dice }) => {
    for (let killed = 0; killed < kills; killed += 1) {
      await sleep(dice.between(0, 2 * everyMs));
      while (fleet.members.filter(({ isUp }) => isUp).length < fleet.members.length / 2) await sleep(50);
      fleet.kill(dice.pick(fleet.members.filter(({ process }) => process !== null)));
    }
  };
}

/** `kill -9` of one member after the other, in the order of their names, `everyMs` apart: long enough to get over each. */
export function crashes(kills: number, everyMs: number): (target: Target) => Promise<void> {
  return async ({ fleet }) => {
    for (let killed = 0; killed < kills; killed += 1) {
      const member = fleet.members[killed % fleet.members.length];
      if (member !== undefined) fleet.kill(member);
      await sleep(everyMs);
    }
  };
}
