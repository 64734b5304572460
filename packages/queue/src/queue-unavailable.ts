/** The queue's server cannot be used: away, too slow, not migrated, or configured so that it would lose jobs. */
export class QueueUnavailableError extends Error {
  override name = 'QueueUnavailableError';
}
