import { type Channel, channelOf, channels, outboundUrls } from '@tocsin/channels';
import { didYouMean } from '@tocsin/domain';
import { AppError, invalid } from '../app-error.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';

type Fields = Record<string, unknown>;

/** The kind's definition. Throws a 422 that suggests the nearest kind. */
export function channelOfKind(kind: string): Channel {
  const channel = channelOf(kind);
  if (channel !== null) return channel;
  const kinds = channels.map((known) => known.kind);
  const message = `There is no such kind of channel; there are ${kinds.join(', ')}.${didYouMean(kind, kinds)}`;
  throw invalid([{ pointer: '/kind', code: 'unknown_kind', message }]);
}

/** Checks a whole configuration, secrets in the clear, and every address and host in it. Throws a 422. */
export async function checkConfig({ outbound }: Context, channel: Channel, config: Fields): Promise<Fields> {
  const checked = parse(channel.config, config, 'body', ['config']);
  const places = [
    ...outboundUrls(channel, checked).map(({ pointer, url }) => ({ pointer, check: () => outbound.checkUrl(url) })),
    ...channel.hosts(checked).map(({ pointer, host, port }) => ({ pointer, check: () => outbound.checkHost({ host, port }) })),
  ];
  for (const { pointer, check } of places) {
    const verdict = await check();
    if (verdict.ok) continue;
    const issue = { pointer: `/config${pointer}`, code: verdict.code, message: verdict.message };
    throw new AppError('url_not_allowed', verdict.message, { issues: [issue] });
  }
  return checked;
}
