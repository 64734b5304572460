import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresServer } from '@tocsin/testkit';
import type { Target } from '../storm.ts';

const AWAY_MS = 3_000;

/**
 * Ends the server again and again, each time in another manner: an immediate stop, one backend killed, which makes the postmaster end them
 * all and recover, and the postmaster killed.
 */
export function postgresRestarts(server: PostgresServer, times: number, everyMs: number): (target: Target) => Promise<void> {
  return async ({ dice, sql }) => {
    for (let time = 0; time < times; time += 1) {
      await sleep(dice.between(everyMs / 2, (everyMs * 3) / 2));
      if (time % 3 === 1) {
        const [backend] = await sql<{ pid: number }[]>`
          select pid from pg_stat_activity where application_name like 'tocsin%' order by state = 'idle', random() limit 1`;
        if (backend !== undefined) process.kill(backend.pid, 'SIGKILL');
      } else {
        await server.end(time % 3 === 0 ? 'SIGQUIT' : 'SIGKILL');
        await sleep(dice.between(0, AWAY_MS));
        await server.start();
      }
    }
  };
}
