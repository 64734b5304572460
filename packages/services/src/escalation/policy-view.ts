import type { EscalationPolicy } from '@tocsin/contracts';
import type { EscalationPolicyRow } from '@tocsin/db';
import { formatDuration } from '@tocsin/domain';
import { timeText } from '../time-text.ts';

export const viewEscalationPolicy = (row: EscalationPolicyRow): EscalationPolicy => ({
  key: row.key,
  name: row.name,
  position: row.position,
  matchers: row.matchers,
  steps: row.steps.map(({ afterMs, channels }) => ({ after: formatDuration(afterMs), channels: [...channels] })),
  repeat: row.repeat === null ? null : { every: formatDuration(row.repeat.everyMs), times: row.repeat.times },
  version: row.version,
  createdAt: timeText(row.createdAtMs),
  createdBy: row.createdBy,
  updatedAt: timeText(row.updatedAtMs),
  updatedBy: row.updatedBy,
});
