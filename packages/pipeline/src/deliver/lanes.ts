import type { EpochMs } from '@tocsin/domain';

/** Sends under way at once, in this process. */
export interface LaneBounds {
  total: number;
  perChannel: number;
}

export type Turn = { leave: () => void } | { againInMs: number };

export interface Lanes {
  enter: (channelId: string) => Turn;
}

interface Lane {
  running: number;
  /** Told to come back since the lane was last idle. */
  waiting: number;
  /** How long the last send held its place. */
  heldMs: number;
}

const WAIT_MS = { min: 250, max: 30_000 } as const;

/**
 * Keeps channels out of each other's way: a receiver that hangs fills its own lane and no other. Who finds a lane full is told when
 * its turn is likely, by how long the sends before it take, so that the turned away neither press nor idle.
 */
export function openLanes(bounds: LaneBounds, now: () => EpochMs): Lanes {
  const lanes = new Map<string, Lane>();
  let running = 0;

  const leave = (channelId: string, lane: Lane, enteredMs: EpochMs): void => {
    running -= 1;
    lane.running -= 1;
    lane.heldMs = now() - enteredMs;
    if (lane.running === 0) lanes.delete(channelId);
  };

  return {
    enter(channelId) {
      const lane = lanes.get(channelId) ?? { running: 0, waiting: 0, heldMs: WAIT_MS.min };
      if (running >= bounds.total || lane.running >= bounds.perChannel) {
        lane.waiting += 1;
        return { againInMs: Math.min(Math.max(Math.ceil(lane.waiting / bounds.perChannel) * lane.heldMs, WAIT_MS.min), WAIT_MS.max) };
      }
      lanes.set(channelId, lane);
      running += 1;
      lane.running += 1;
      lane.waiting = Math.max(0, lane.waiting - 1);
      const enteredMs = now();
      return { leave: () => leave(channelId, lane, enteredMs) };
    },
  };
}
