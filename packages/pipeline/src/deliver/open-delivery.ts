import { isSender } from '@tocsin/channels';
import {
  ConfigError,
  openOutbound,
  secretBox,
  smtpServerOf,
  type ShutdownStack,
  type SmtpServer,
  type SmtpVariables,
  variables,
} from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { DeliveryDeps } from './delivery-deps.ts';

/** The variables of every process that sends to, or keeps the secrets of, channels. */
export const deliveryVariables = {
  secretKey: variables.secretKey,
  publicUrl: variables.publicUrl.optional(),
  allowHttp: variables.allowHttp,
  allowCidrs: variables.allowCidrs,
  allowPorts: variables.allowPorts,
  smtpUrl: variables.smtpUrl,
  smtpHost: variables.smtpHost,
  smtpPort: variables.smtpPort,
  smtpUser: variables.smtpUser,
  smtpPassword: variables.smtpPassword,
  smtpFrom: variables.smtpFrom,
  smtpSecurity: variables.smtpSecurity,
};

export interface DeliveryOptions extends SmtpVariables {
  secretKey: string;
  publicUrl?: string | undefined;
  allowHttp: boolean;
  allowCidrs: readonly string[];
  allowPorts: readonly number[];
}

/** Adds the ways out and the box of secrets to what the pipeline stands on. Throws ConfigError where the variables of mail do not fit together. */
export function openDelivery(deps: PipelineDeps, options: DeliveryOptions, stack: ShutdownStack): DeliveryDeps {
  const smtp = smtpOf(options);
  const outbound = openOutbound(options);
  stack.defer('outbound connections', outbound.close);
  return { ...deps, outbound, secretBox: secretBox(options.secretKey), smtp, publicUrl: options.publicUrl ?? null };
}

function smtpOf({ smtpUrl, smtpHost, smtpPort, smtpUser, smtpPassword, smtpFrom, smtpSecurity }: DeliveryOptions): SmtpServer | null {
  const server = smtpServerOf({ smtpUrl, smtpHost, smtpPort, smtpUser, smtpPassword, smtpFrom, smtpSecurity });
  if (server !== null && !isSender(server.from))
    throw new ConfigError([{ variable: 'TOCSIN_SMTP_FROM', problem: 'is not valid: an address, or Name <address>' }]);
  return server;
}
