import { escapeSlack, type SlackAsk } from '@tocsin/channels';
import type { Alert } from '@tocsin/contracts';
import { listAlerts } from '../alerts/list-alerts.ts';
import { acknowledgeAlert, resolveAlert } from '../alerts/set-alert-status.ts';
import { silenceAlert } from '../alerts/silence-alert.ts';
import { AppError } from '../app-error.ts';
import type { Context } from '../context.ts';
import { Download } from '../export/download.ts';

type Command = Extract<SlackAsk, { kind: 'command' }>;

const SHOWN = 10;
/** How many of the newest open alerts a short id is looked for in. */
const LOOKED_AT = 500;
const SHORT = 8;

/** What a command does. Answers in mrkdwn, with help where it is none. */
export async function followCommand(ctx: Context, { command, words }: Command): Promise<string> {
  const [verb = '', id, last, ...more] = words;
  if (verb === 'list' && id === undefined) return list(ctx);
  if (id === undefined || more.length > 0) return help(command);
  if (verb === 'silence' && last !== undefined)
    return handled('Silenced', await silenceAlert({ ctx, input: { id: await idOf(ctx, id), body: { duration: last } } }));
  if (last !== undefined) return help(command);
  if (verb === 'ack') return handled('Acknowledged', await acknowledgeAlert({ ctx, input: { id: await idOf(ctx, id), body: {} } }));
  if (verb === 'resolve') return handled('Resolved', await resolveAlert({ ctx, input: { id: await idOf(ctx, id), body: {} } }));
  return help(command);
}

const help = (command: string): string =>
  [
    `\`${command} list\` shows what is open`,
    `\`${command} ack &lt;id&gt;\` acknowledges an alert`,
    `\`${command} silence &lt;id&gt; &lt;duration&gt;\` silences it, for \`30m\`, \`2h\` …`,
    `\`${command} resolve &lt;id&gt;\` ends it`,
  ].join('\n');

async function list(ctx: Context): Promise<string> {
  const open = await openAlerts(ctx, SHOWN + 1);
  if (open.length === 0) return 'Nothing is open.';
  return [...open.slice(0, SHOWN).map(line), ...(open.length > SHOWN ? ['and more'] : [])].join('\n');
}

const handled = (done: string, alert: Alert | null): string => (alert === null ? `${done}.` : `${done}: ${line(alert)}`);

/** `d1c2b3a4 · critical · Checkout latency · acknowledged by ann · since 2026-03-01 12:00 UTC`. */
function line({ id, severity, rule, labels, status, acknowledgedBy, startedAt }: Alert): string {
  const series = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const state = status === 'acknowledged' && acknowledgedBy !== null ? `acknowledged by ${acknowledgedBy}` : status;
  const parts = [severity, rule.name, ...series.slice(0, 3), state, `since ${startedAt.slice(0, 16).replace('T', ' ')} UTC`];
  return `\`${shortOf(id)}\` · ${parts.map((part) => escapeSlack(part.slice(0, 100).toWellFormed())).join(' · ')}`;
}

/** The end of an id: what it begins with is the time, which alerts share. */
const shortOf = (id: string): string => id.slice(-SHORT);

/** Of a whole id, or of the end of one that is open. Throws a 404. */
async function idOf(ctx: Context, word: string): Promise<string> {
  if (!/^[0-9a-f]{8}$/i.test(word)) return word;
  const found = (await openAlerts(ctx, LOOKED_AT)).filter(({ id }) => id.endsWith(word.toLowerCase()));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.id;
  throw new AppError('not_found', only === undefined ? 'There is no such open alert.' : 'Several open alerts end so; give the whole id.');
}

async function openAlerts(ctx: Context, limit: number): Promise<Alert[]> {
  const page = await listAlerts({ ctx, input: { query: { status: 'open', limit: `${limit}` } } });
  if (page instanceof Download) throw new Error('a page was asked for');
  return page.data;
}
