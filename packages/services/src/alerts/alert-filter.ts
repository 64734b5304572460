import type { AlertFilter as Asked } from '@tocsin/contracts';
import type { AlertFilter } from '@tocsin/db';
import { ALERT_STATUSES } from '@tocsin/domain';
import { z } from 'zod';

/** What was asked for, in the words of the query. */
export function alertFilterOf(asked: Asked, beforeId: string | null, limit: number): AlertFilter {
  const isId = z.uuid().safeParse(asked.rule).success;
  return {
    beforeId,
    limit,
    statuses: asked.status?.flatMap((word) => (word === 'open' ? OPEN : [word])) ?? null,
    severities: asked.severity ?? null,
    typeNames: asked.alertType ?? null,
    category: asked.category ?? null,
    ruleId: asked.ruleId ?? (isId ? asked.rule : undefined) ?? null,
    ruleKey: asked.ruleKey ?? (isId ? undefined : asked.rule) ?? null,
    labels: asked.label ?? null,
    assignee: asked.assignee ?? null,
    search: asked.q ?? null,
    sinceMs: asked.from ?? asked.since ?? null,
    untilMs: asked.to ?? asked.until ?? null,
  };
}

const OPEN = ALERT_STATUSES.filter((status) => status !== 'resolved');
