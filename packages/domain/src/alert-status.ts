export const ALERT_STATUSES = ['triggered', 'active', 'acknowledged', 'resolved'] as const;

/**
 * - `triggered`: opened at the slot just evaluated. `active`: still open at a later one.
 * - `acknowledged`: a person has it; it stays so until it ends. `resolved`: over, for good: the next breach is another alert.
 */
export type AlertStatus = (typeof ALERT_STATUSES)[number];

/** What moves a status: a later slot at which the alert is still open, its end, or a person. */
export type AlertMove = 'still_open' | 'ended' | 'acknowledge' | 'unacknowledge';

/** The status after a move; null where the move makes no sense, so that the caller can say why. A move to where it is already changes nothing. */
export function alertStatusAfter(status: AlertStatus, move: AlertMove): AlertStatus | null {
  if (status === 'resolved') return move === 'ended' ? 'resolved' : null;
  switch (move) {
    case 'still_open':
      return status === 'triggered' ? 'active' : status;
    case 'ended':
      return 'resolved';
    case 'acknowledge':
      return 'acknowledged';
    case 'unacknowledge':
      return status === 'acknowledged' ? 'active' : null;
  }
}
