import { openAdvisoryTurn } from '@tocsin/db';
import type { Outbound } from '@tocsin/runtime';
import { z } from 'zod';
import { durationVariable } from '../bound-variables.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { troubles } from './all-is-well.ts';

/** The variables of whoever calls. Without an address nobody does. */
export const heartbeatVariables = {
  heartbeatUrl: z
    .string()
    .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'a URL beginning with https:// or http://')
    .optional(),
  heartbeatEvery: durationVariable('10s', '1h', 60_000),
};

export interface HeartbeatOptions {
  /** A secret: whoever knows it can keep the outside from noticing. */
  url: string;
  everyMs: number;
}

/** Null: no address is set. */
export const heartbeatOptions = (config: { heartbeatUrl?: string | undefined; heartbeatEvery: number }): HeartbeatOptions | null =>
  config.heartbeatUrl === undefined ? null : { url: config.heartbeatUrl, everyMs: config.heartbeatEvery };

export interface HeartbeatDeps extends PipelineDeps {
  outbound: Outbound;
}

const CALL_MS = 10_000;

/**
 * Calls an address outside every so often, while slots are on time, runs and the outbox are drained and the latest scheduled drill passed. What is
 * there misses the calls when all of this stands still, and tells people by ways that are not ours. One process calls; another goes on when it dies.
 */
export function startHeartbeat(deps: HeartbeatDeps, options: HeartbeatOptions): { close: () => Promise<void> } {
  const stopping = new AbortController();
  const turn = openAdvisoryTurn(deps.db, 'tocsin.heartbeat');
  const beating = (async () => {
    while (!stopping.signal.aborted) {
      if (await turn.isMine()) await beat(deps, options, stopping.signal);
      await deps.clock.sleep(options.everyMs, stopping.signal);
    }
  })();
  return {
    close: async () => {
      stopping.abort();
      await beating;
      await turn.close();
    },
  };
}

async function beat({ db, outbound, metrics, logger }: HeartbeatDeps, { url }: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  try {
    const found = await troubles(db);
    if (found.length > 0) {
      metrics.heartbeats.inc({ result: 'withheld' });
      logger.warn({ troubles: found }, 'no heartbeat: all is not well');
      return;
    }
    const within = AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]);
    const { status } = await outbound.request({ url, method: 'GET', headers: { 'user-agent': 'Tocsin' } }, within);
    const result = status >= 200 && status < 300 ? 'sent' : 'failed';
    metrics.heartbeats.inc({ result });
    if (result === 'failed') logger.warn({ status }, 'the heartbeat was not accepted');
  } catch (error) {
    if (signal.aborted) return;
    metrics.heartbeats.inc({ result: 'failed' });
    // Its code alone: messages of network errors carry the address, which is a secret.
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    logger.warn({ reason: code }, 'the heartbeat could not be sent');
  }
}
