import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '@tocsin/testkit';
import type { Target } from '../storm.ts';

/** One process of each of these apps is stopped for `ms`, which outlasts every lease, and then goes on where it was; `times` times. */
export function zombies(apps: readonly App[], times: number, ms: number): (target: Target) => Promise<void> {
  return async ({ fleet, dice }) => {
    for (let time = 0; time < times; time += 1) {
      await sleep(dice.between(1_000, 3_000));
      const stopped = apps.map((app) => dice.pick(fleet.members.filter((member) => member.app === app && member.process !== null)).process);
      for (const process of stopped) process?.signal('SIGSTOP');
      await sleep(ms);
      for (const process of stopped) process?.signal('SIGCONT');
    }
  };
}
