import type { EpochMs } from '@tocsin/domain';

/** Sends under way at once, in this process, and those that wait in line for it. */
export interface LaneBounds {
  total: number;
  perTenant: number;
  perChannel: number;
  inLine: number;
}

/** One send under way. To be left once. */
export interface Place {
  leave: () => void;
}

export interface Lanes {
  /** Null: the channel, the tenant or everything is full. */
  enter: (tenantId: string, channelId: string) => Place | null;
  /** Resolves with a place when it is one's turn. Or says when to come back: the line is full. */
  wait: (tenantId: string, channelId: string) => Promise<Place> | { againInMs: number };
  /** Nobody's turn comes any more. */
  close: () => void;
}

interface Line {
  tenantId: string;
  waiting: ((place: Place) => void)[];
}

const WAIT_MS = { min: 250, max: 30_000 } as const;

/**
 * Keeps channels, and tenants with many of them, out of each other's way: a receiver that hangs fills its own lane and no other. The
 * fewer places are left in all, the fewer of them one tenant may take, so that however many receivers of however many tenants hang there
 * is one for who has none.
 */
export function openLanes(bounds: LaneBounds, now: () => EpochMs): Lanes {
  const running = new Map<string, number>();
  const lines = new Map<string, Line>();
  let total = 0;
  let inLine = 0;
  /** How long the last send held its place. */
  let heldMs: number = WAIT_MS.min;

  const count = (id: string): number => running.get(id) ?? 0;
  const add = (id: string, change: 1 | -1): void => {
    const left = count(id) + change;
    if (left === 0) running.delete(id);
    else running.set(id, left);
  };

  const enter = (tenantId: string, channelId: string): Place | null => {
    if (count(channelId) >= bounds.perChannel) return null;
    if (count(tenantId) >= Math.min(bounds.perTenant, Math.ceil((bounds.total - total) / 2))) return null;
    add(channelId, 1);
    add(tenantId, 1);
    total += 1;
    const enteredMs = now();
    return {
      leave: () => {
        add(channelId, -1);
        add(tenantId, -1);
        total -= 1;
        heldMs = now() - enteredMs;
        callNext(channelId);
      },
    };
  };

  /** Calls whose turn it is: first in the line of the channel that has a place free, then in the others. */
  const callNext = (channelId: string): void => {
    if (inLine === 0) return;
    callFrom(channelId);
    const waiting = Array.from(lines.keys());
    for (const id of waiting) {
      if (total >= bounds.total) return;
      callFrom(id);
    }
  };
  const callFrom = (channelId: string): void => {
    const line = lines.get(channelId);
    const place = line === undefined ? null : enter(line.tenantId, channelId);
    if (line === undefined || place === null) return;
    const call = line.waiting.shift();
    inLine -= 1;
    // whose turn has come stands behind the others with the next
    lines.delete(channelId);
    if (line.waiting.length > 0) lines.set(channelId, line);
    call?.(place);
  };

  return {
    enter,
    wait: (tenantId, channelId) => {
      const line = lines.get(channelId) ?? { tenantId, waiting: [] };
      if (inLine >= bounds.inLine) {
        const turns = Math.ceil((line.waiting.length + 1) / bounds.perChannel);
        return { againInMs: Math.min(Math.max(turns * heldMs, WAIT_MS.min), WAIT_MS.max) };
      }
      lines.set(channelId, line);
      inLine += 1;
      return new Promise((resolve) => line.waiting.push(resolve));
    },
    close: () => {
      lines.clear();
      inLine = 0;
    },
  };
}
