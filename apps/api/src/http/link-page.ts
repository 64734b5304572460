import { errorDefinition, type ErrorCode } from '@tocsin/contracts';
import type { LinkedAlert } from '@tocsin/services';
import { createHash } from 'node:crypto';

const STYLE =
  'body{margin:0;padding:24px 16px;font:16px/1.5 system-ui,sans-serif;color:#1b1f24;background:#f4f5f7}' +
  'main{max-width:28rem;margin:0 auto;padding:20px;background:#fff;border-radius:8px;overflow-wrap:anywhere}' +
  'h1{margin:0 0 8px;font-size:1.25rem}dl{margin:16px 0}dt{color:#57606a;font-size:.875rem}dd{margin:0 0 8px}' +
  'button{width:100%;min-height:48px;border:0;border-radius:8px;font:inherit;font-weight:600;color:#fff;background:#1f5fbf}';

/** For the page alone: it loads nothing, runs nothing, and its one form leads back to where it came from. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'x-robots-tag': 'noindex, nofollow',
};

const WORDS = {
  acknowledge: { ask: 'Acknowledge this alert?', button: 'Acknowledge', done: 'Acknowledged' },
  silence: { ask: 'Silence this alert for 1 h?', button: 'Silence for 1 h', done: 'Silenced for 1 h' },
} as const satisfies Record<LinkedAlert['action'], unknown>;

/** What a tap would do, with the button that does it. */
export const askingPage = ({ action, alert }: LinkedAlert): string =>
  page(WORDS[action].ask, `${describe(alert)}<form method="post"><button type="submit">${WORDS[action].button}</button></form>`);

/** What was done. */
export const donePage = ({ action, alert }: LinkedAlert): string => page(WORDS[action].done, describe(alert));

/** Why nothing can be done; says nothing of any alert. */
export const refusalPage = (code: ErrorCode): string =>
  page(errorDefinition(code).title, `<p>${escapeHtml(errorDefinition(code).hint)}</p>`);

function describe({ rule, severity, status, startedAt, acknowledgedBy }: LinkedAlert['alert']): string {
  const facts = [
    ['Alert', rule.name],
    ['Severity', severity],
    ['Since', `${startedAt.slice(0, 19).replace('T', ' ')} UTC`],
    ['Status', acknowledgedBy === null ? status : `acknowledged by ${acknowledgedBy}`],
  ] as const;
  return `<dl>${facts.map(([name, text]) => `<dt>${name}</dt><dd>${escapeHtml(text)}</dd>`).join('')}</dl>`;
}

const page = (title: string, content: string): string =>
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
  `<meta name="robots" content="noindex"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>` +
  `<body><main><h1>${escapeHtml(title)}</h1>${content}</main></body></html>`;

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
