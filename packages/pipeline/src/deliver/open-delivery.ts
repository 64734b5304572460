import { openOutbound, secretBox, type ShutdownStack, variables } from '@tocsin/runtime';
import type { PipelineDeps } from '../pipeline-deps.ts';
import type { DeliveryDeps } from './delivery-deps.ts';

/** The variables of every process that sends to, or keeps the secrets of, channels. */
export const deliveryVariables = {
  secretKey: variables.secretKey,
  publicUrl: variables.publicUrl.optional(),
  allowHttp: variables.allowHttp,
  allowCidrs: variables.allowCidrs,
  allowPorts: variables.allowPorts,
};

export interface DeliveryOptions {
  secretKey: string;
  publicUrl?: string | undefined;
  allowHttp: boolean;
  allowCidrs: readonly string[];
  allowPorts: readonly number[];
}

/** Adds the way out and the box of secrets to what the pipeline stands on. */
export function openDelivery(deps: PipelineDeps, options: DeliveryOptions, stack: ShutdownStack): DeliveryDeps {
  const outbound = openOutbound(options);
  stack.defer('outbound connections', outbound.close);
  return { ...deps, outbound, secretBox: secretBox(options.secretKey), publicUrl: options.publicUrl ?? null };
}
