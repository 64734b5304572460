import { type App, freePort, startTocsin, type TocsinProcess } from '@tocsin/testkit';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dice } from './dice.ts';

interface Member {
  /** `evaluator-2`. */
  name: string;
  app: App;
  /** Null while nobody runs in its place. */
  process: TocsinProcess | null;
  /** It has said that it is ready, and not ended since. */
  isUp: boolean;
}

export interface Fleet {
  members: readonly Member[];
  /** The same for every API that is started. */
  apiUrl: string;
  /** SIGKILL; another is started in its place after a while. */
  kill: (member: Member) => void;
  allUp: () => Promise<void>;
  /** Processes that ended though nobody ended them. */
  deserters: readonly string[];
  close: () => Promise<void>;
}

export type FleetCounts = Readonly<Record<App, number>>;

export interface FleetOptions {
  counts: FleetCounts;
  env: Readonly<Record<string, string>>;
  /** Added to one member's environment. */
  envOf?: (name: string) => Record<string, string>;
  dice: Dice;
  /** The longest wait before a killed one is started again. */
  restartMs: number;
}

const UP_WITHIN_MS = 240_000;

/** Real processes under a supervisor that starts again whatever ends, as production does. */
export async function openFleet({ counts, env, envOf = () => ({}), dice, restartMs }: FleetOptions): Promise<Fleet> {
  const port = await freePort();
  const deserters: string[] = [];
  const killed = new WeakSet<TocsinProcess>();
  let closing = false;

  const seeReady = async (member: Member, process: TocsinProcess): Promise<void> => {
    while (!closing && member.process === process && !member.isUp) {
      const isReady = await process.ready().then(
        () => true,
        () => false,
      );
      if (member.process === process) member.isUp = isReady;
    }
  };
  const keepRunning = async (member: Member): Promise<void> => {
    while (!closing) {
      const ownPort: Record<string, string> = member.app === 'api' ? { TOCSIN_PORT: String(port) } : {};
      const process = await startTocsin(member.app, { ...env, ...ownPort, ...envOf(member.name) });
      member.process = process;
      if (closing) process.signal('SIGTERM');
      void seeReady(member, process);
      const how = await process.exited;
      member.isUp = false;
      member.process = null;
      if (!closing && !killed.has(process)) deserters.push(`${member.name} ended with ${how}: ${process.output().slice(-2_000)}`);
      if (!closing) await sleep(dice.between(0, restartMs));
    }
  };

  const members = (Object.entries(counts) as [App, number][]).flatMap(([app, count]) =>
    Array.from({ length: count }, (_, index): Member => ({ name: `${app}-${index + 1}`, app, process: null, isUp: false })),
  );
  const running = members.map(keepRunning);
  return {
    members,
    apiUrl: `http://127.0.0.1:${port}`,
    kill: ({ process }) => {
      if (process === null) return;
      killed.add(process);
      process.signal('SIGKILL');
    },
    allUp: async () => {
      const giveUpAtMs = performance.now() + UP_WITHIN_MS;
      for (let down = members; down.length > 0; down = members.filter(({ isUp }) => !isUp)) {
        if (performance.now() > giveUpAtMs) throw new Error(`not up: ${down.map(({ name }) => name).join(', ')}; ${deserters.join('\n')}`);
        await sleep(50);
      }
    },
    deserters,
    close: async () => {
      closing = true;
      await Promise.all(
        members.map(async ({ process }) => {
          // Whoever is stopped would not hear it.
          process?.signal('SIGCONT');
          await process?.stop('SIGTERM');
        }),
      );
      await Promise.all(running);
    },
  };
}
