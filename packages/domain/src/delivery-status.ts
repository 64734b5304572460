/**
 * `pending` until its first attempt, `sending` while somebody has it in hand, `retrying` between attempts; then, for good, `delivered`, `dead`
 * or `suppressed`.
 */
export const DELIVERY_STATUSES = ['pending', 'sending', 'retrying', 'delivered', 'dead', 'suppressed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];
