import { is } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import * as alerts from './alerts.ts';
import * as channels from './channels.ts';
import * as deliveries from './deliveries.ts';
import * as drills from './drills.ts';
import * as escalation from './escalation.ts';
import * as events from './events.ts';
import * as hours from './hours.ts';
import * as incidents from './incidents.ts';
import * as metricDefinitions from './metric-definitions.ts';
import * as muting from './muting.ts';
import * as packs from './packs.ts';
import * as requests from './requests.ts';
import * as rules from './rules.ts';
import * as runs from './runs.ts';
import * as tenants from './tenants.ts';

/** All that this code knows of. */
export const TABLES: readonly PgTable[] = [
  alerts,
  channels,
  deliveries,
  drills,
  escalation,
  events,
  hours,
  incidents,
  metricDefinitions,
  muting,
  packs,
  requests,
  rules,
  runs,
  tenants,
]
  .flatMap((file): unknown[] => Object.values(file))
  .filter((each) => is(each, PgTable));
