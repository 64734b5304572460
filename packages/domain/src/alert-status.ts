export const ALERT_STATUSES = ['triggered', 'active', 'acknowledged', 'resolved'] as const;

/**
 * - `triggered`: opened at the slot just evaluated. `active`: still open at a later one.
 * - `acknowledged`: a person has it; it stays so until it ends. `resolved`: over, for good: the next breach is another alert.
 */
export type AlertStatus = (typeof ALERT_STATUSES)[number];

export const ALERT_MOVES = ['still_open', 'ended', 'acknowledge', 'unacknowledge'] as const;
/** What moves a status: a later slot at which the alert is still open, its end, or a person. */
export type AlertMove = (typeof ALERT_MOVES)[number];

export const ALERT_ACTORS = ['evaluator', 'person', 'system'] as const;
/** Who moves it: an evaluation, a person (or a key of theirs), or the consequence of something else, such as a rule that changed. */
export type AlertActor = (typeof ALERT_ACTORS)[number];

const MAY: Readonly<Record<AlertActor, readonly AlertMove[]>> = {
  evaluator: ['still_open', 'ended'],
  person: ['ended', 'acknowledge', 'unacknowledge'],
  system: ['ended'],
};

/** The status after a move; null where the move makes no sense, so that the caller can say why. A move to where it is already changes nothing. */
export function alertStatusAfter(status: AlertStatus, move: AlertMove, actor: AlertActor): AlertStatus | null {
  if (!MAY[actor].includes(move)) return null;
  if (status === 'resolved') return move === 'ended' ? 'resolved' : null;
  switch (move) {
    case 'still_open':
      return status === 'triggered' ? 'active' : status;
    case 'ended':
      return 'resolved';
    case 'acknowledge':
      return 'acknowledged';
    case 'unacknowledge':
      return status === 'acknowledged' ? 'active' : status;
  }
}
