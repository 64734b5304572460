import type { Phase, Reason } from './series-state.ts';

const PHASES: Readonly<Partial<Record<Reason, Phase>>> = {
  clear: 'ok',
  breach: 'pending',
  holding: 'pending',
  cooldown: 'pending',
  max_open_alerts: 'pending',
  fired: 'firing',
  still_firing: 'firing',
  escalated: 'firing',
  eased: 'firing',
  worsened: 'firing',
  no_data_alert: 'firing',
  error_alert: 'firing',
  recovering: 'recovering',
  flapping: 'recovering',
  resolved: 'ok',
  no_data_ok: 'ok',
  series_gone: 'ok',
};

/** The phase a slot that ended for this reason left its series in; null: that it was in before, because nothing changed. */
export const phaseAfter = (reason: string | null): Phase | null =>
  reason === null ? null : ((PHASES as Record<string, Phase>)[reason] ?? null);
