import { splitSecrets } from '@tocsin/channels';
import { invalid, AppError } from '../app-error.ts';
import { channelOfKind, checkConfig } from '../channels/check-config.ts';
import type { Context } from '../context.ts';

/** Calls are those of a webhook: signed the same way, through the same door. */
export const CALL_KIND = 'webhook';

interface CallConfig {
  config: Record<string, unknown>;
  secrets: Record<string, unknown>;
}

/** Checks where an action calls, and what it signs with. Throws a 422 that names the fields as people wrote them. */
export async function readCall(ctx: Context, { url, secret }: { url: string; secret: unknown }): Promise<CallConfig> {
  const channel = channelOfKind(CALL_KIND);
  try {
    return splitSecrets(channel, await checkConfig(ctx, channel, secret === undefined ? { url } : { url, secret }));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const issues = error.issues.map((issue) => ({ ...issue, pointer: issue.pointer.replace(/^\/config/, '') }));
    throw error.code === 'invalid' ? invalid(issues) : new AppError(error.code, error.message, { issues });
  }
}
