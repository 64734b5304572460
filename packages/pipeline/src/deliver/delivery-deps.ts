import type { Outbound, SecretBox, SmtpServer } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { Lanes } from './lanes.ts';

/** What sending takes beside the rest. */
export interface DeliveryDeps extends PipelineDeps {
  outbound: Outbound;
  secretBox: SecretBox;
  /** Where mail is handed in. Null: not configured. */
  smtp: SmtpServer | null;
  /** Where people reach this deployment; links in messages begin with it. Null: not configured. */
  publicUrl: string | null;
}

/** What one attempt takes. */
export interface AttemptDeps extends DeliveryDeps {
  lanes: Lanes;
  /** Aborts sends that are under way when a shutdown can wait no longer. */
  giveUp: AbortSignal;
}
