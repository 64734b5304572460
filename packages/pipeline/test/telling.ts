import type { Severity, TriggerKind, WebhookBody } from '@tocsin/domain';
import { expect, vi } from 'vitest';
import { openSweep } from '../src/sweep/sweep.ts';
import type { deliveryScene } from './delivery-scene.ts';

/** What tests of messages that wait do in a scene, and what they look at. */
export function tellingIn(scene: ReturnType<typeof deliveryScene>) {
  const bodies = (): WebhookBody[] => scene.receiver().requests.map(({ body }) => JSON.parse(body) as WebhookBody);
  const said = (): string[] => bodies().map(({ type, data }) => `${type} ${data.group?.count ?? 1}`);
  return {
    bodies,
    /** Lets an alert, a new one unless it is named, be told of, and waits for that to be planned; answers its id. */
    fire: async (ruleId: string, kind: TriggerKind = 'fired', severity: Severity = 'warning', of?: string): Promise<string> => {
      const alertId = of ?? (await scene.world().alert(ruleId));
      await scene.hint(await scene.world().trigger(ruleId, alertId, kind, severity));
      await vi.waitFor(async () => expect((await scene.world().deliveries(alertId)).some((row) => row.kind === kind)).toBe(true), 60_000);
      return alertId;
    },
    /** `pending`, `suppressed(folded)`; `none`. */
    stateOf: async (alertId: string, kind = 'fired'): Promise<string> => {
      const row = (await scene.world().deliveries(alertId)).find((each) => each.kind === kind);
      return row === undefined ? 'none' : `${row.status}${row.reason === null ? '' : `(${row.reason})`}`;
    },
    /** Waits until exactly these have arrived, as `alert.fired 3`: of how many alerts. */
    told: (...expected: string[]): Promise<void> => vi.waitFor(() => expect(said().toSorted()).toEqual(expected.toSorted()), 60_000),
    /** Lets time pass, and the sweep look, as it would by itself. */
    pass: async (ms: number): Promise<void> => {
      scene.world().db.clock.shiftMs += ms;
      await openSweep(scene.world().deps)();
    },
  };
}
