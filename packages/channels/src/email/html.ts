import { truncate } from '../message/cut.ts';
import { headline, type Message, type MessageLink, ruleLine, saidBeside } from '../message/message.ts';
import { factsWithSeries } from '../message/plain-text.ts';

const TEXT_MAX = 4_000;

const COLOURS = { critical: '#c4232a', error: '#c2560c', warning: '#8a6100', info: '#1f5fbf' } as const;
const OVER = '#1d7a3a';

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

/** Makes text harmless between tags and within double-quoted attributes. */
const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');

/**
 * The message as HTML for mail programs: tables and inline styles, which all of them read; no image, script, style sheet, font or anything else
 * that is fetched. Foreign text is escaped and stands in text alone; the only addresses are those of links.
 */
export function htmlOf(message: Message): string {
  const colour = message.isOver ? OVER : COLOURS[message.severity];
  const said = saidBeside(message);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${shown(headline(message))}</title></head><body style="margin:0;padding:16px;background:#f4f5f7;${FONT};color:#1b1f24">`,
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center">',
    '<table role="presentation" width="600" cellpadding="0" cellspacing="0" style="max-width:600px;width:100%;background:#ffffff">',
    `<tr><td style="border-top:4px solid ${colour};padding:20px 24px 0">`,
    `<h1 style="margin:0;font-size:20px;line-height:28px;color:${colour}">${message.icon} ${shown(headline(message))}</h1>`,
    `<p style="margin:8px 0 0;font-size:16px;line-height:24px"><strong>${shown(message.sentence)}</strong></p>`,
    ...said.map((text) => `<p style="margin:12px 0 0;font-size:14px;line-height:22px">${shown(text).replaceAll('\n', '<br>')}</p>`),
    '</td></tr><tr><td style="padding:16px 24px 0"><table role="presentation" cellpadding="0" cellspacing="0">',
    ...factsWithSeries(message).map(
      ({ name, text }) =>
        `<tr><td style="padding:2px 16px 2px 0;font-size:13px;color:#57606a;vertical-align:top;white-space:nowrap">${name}</td>` +
        `<td style="padding:2px 0;font-size:13px;word-break:break-word">${shown(text)}</td></tr>`,
    ),
    '</table></td></tr>',
    ...linksOf(message.links, colour),
    `<tr><td style="padding:16px 24px 20px;font-size:12px;color:#57606a">${shown(ruleLine(message))}</td></tr>`,
    '</table></td></tr></table></body></html>',
  ].join('');
}

const shown = (text: string): string => escapeHtml(truncate(text, TEXT_MAX));

function linksOf(links: readonly MessageLink[], colour: string): string[] {
  if (links.length === 0) return [];
  const style = `display:inline-block;margin:0 8px 8px 0;padding:8px 16px;font-size:14px;text-decoration:none;border:1px solid ${colour};color:${colour}`;
  return [
    '<tr><td style="padding:20px 24px 0">',
    ...links.map((link) =>
      isPlain(link)
        ? `<p style="margin:0;font-size:13px">${link.face}: ${escapeHtml(link.url)}</p>`
        : `<a href="${escapeHtml(link.url)}" style="${style}">${faceOf(link)}</a>`,
    ),
    '</td></tr>',
  ];
}

/** The runbook's address is the tenant's, so people see where it leads before they go. */
const faceOf = ({ face, url }: MessageLink): string => (face === 'Runbook' ? `Runbook on ${escapeHtml(new URL(url).host)}` : face);

/** A tenant's address that nothing protects on its way is shown, and not led to. */
const isPlain = ({ face, url }: MessageLink): boolean => face === 'Runbook' && !url.startsWith('https:');
