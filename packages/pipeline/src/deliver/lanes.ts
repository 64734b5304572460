import type { EpochMs } from '@tocsin/domain';

/** Sends under way at once, in this process. */
export interface LaneBounds {
  total: number;
  perTenant: number;
  perChannel: number;
}

export type Turn = { leave: () => void } | { againInMs: number };

export interface Lanes {
  enter: (tenantId: string, channelId: string) => Turn;
}

interface Lane {
  running: number;
  /** Told to come back since the lane was last idle. */
  waiting: number;
  /** How long the last send held its place. */
  heldMs: number;
}

const WAIT_MS = { min: 250, max: 30_000 } as const;

/** No id. */
const ALL = '';

/**
 * Keeps channels, and tenants with many of them, out of each other's way: a receiver that hangs fills its own lane and no other. Who finds
 * a lane full is told when its turn is likely, by how long the sends before it take, so that the turned away neither press nor idle.
 */
export function openLanes(bounds: LaneBounds, now: () => EpochMs): Lanes {
  const lanes = new Map<string, Lane>();

  const leave = (id: string, lane: Lane, enteredMs: EpochMs): void => {
    lane.running -= 1;
    lane.heldMs = now() - enteredMs;
    if (lane.running === 0) lanes.delete(id);
  };

  return {
    enter(tenantId, channelId) {
      const ways: readonly [id: string, bound: number][] = [
        [channelId, bounds.perChannel],
        [tenantId, bounds.perTenant],
        [ALL, bounds.total],
      ];
      for (const [id, bound] of ways) {
        const lane = lanes.get(id);
        if (lane === undefined || lane.running < bound) continue;
        lane.waiting += 1;
        return { againInMs: Math.min(Math.max(Math.ceil(lane.waiting / bound) * lane.heldMs, WAIT_MS.min), WAIT_MS.max) };
      }
      const enteredMs = now();
      const entered = ways.map(([id]) => {
        const lane = lanes.get(id) ?? { running: 0, waiting: 0, heldMs: WAIT_MS.min };
        lanes.set(id, lane);
        lane.running += 1;
        lane.waiting = Math.max(0, lane.waiting - 1);
        return { id, lane };
      });
      return { leave: () => entered.forEach(({ id, lane }) => leave(id, lane, enteredMs)) };
    },
  };
}
