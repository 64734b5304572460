import { expect, test } from 'vitest';
import { aNotification } from '../../test/a-notification.ts';
import { channels } from '../registry.ts';
import { linkLine, linksOf } from './links.ts';

const handle = { acknowledge: 'https://tocsin.example/links/to-acknowledge', silence: 'https://tocsin.example/links/to-silence' };
const FOR_PROGRAMS = ['webhook', 'inbox', 'log'];

test('what can be done stands between the alert and its runbook', () => {
  expect(linksOf(aNotification({ handle })).map(({ face }) => face)).toEqual(['Open alert', 'Acknowledge', 'Silence for 1 h', 'Runbook']);
  expect(linksOf(aNotification({ handle: { silence: handle.silence } })).map(({ face }) => face)).not.toContain('Acknowledge');
  expect(linksOf(aNotification({ handle: { acknowledge: 'javascript:alert(1)' } })).map(({ face }) => face)).toEqual([
    'Open alert',
    'Runbook',
  ]);
});

test.each(channels.map((channel) => [channel.kind, channel] as const))(
  '%s shows the links to people and to nobody else',
  (kind, channel) => {
    const body = channel.render(aNotification({ handle }));
    for (const url of Object.values(handle)) expect(body.includes(url)).toBe(!FOR_PROGRAMS.includes(kind));
  },
);

test('a line of links leaves out what does not fit, and nothing else', () => {
  const links = [1, 900, 2].map((length) => ({ face: 'Runbook' as const, url: 'x'.repeat(length) }));
  expect(linkLine(links, 10, ' · ', ({ url }) => url)).toBe('x · xx');
  expect(linkLine(links, 3, ' · ', ({ url }) => url)).toBe('x');
  expect(linkLine([], 3, ' · ', ({ url }) => url)).toBe('');
});
