import { newId, withTenantsSql } from '@tocsin/db';
import { LINK_LIFETIME_MS, signLinks, unsignedLink, type AlertLink } from '@tocsin/pipeline';
import { createLogger, secretBox } from '@tocsin/runtime';
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { alertActors } from './alert-actors.ts';
import { type Actor, type Answer, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let acme: Actor;
let alerts: Awaited<ReturnType<typeof alertActors>>;
let channelId: string;
const log: string[] = [];

beforeAll(async () => {
  world = await openWorld({ logger: createLogger('test', 'trace', { write: (line: string) => void log.push(line) }) });
  acme = await world.tenant('Acme');
  alerts = await alertActors(world, acme);
  channelId = (await acme.ask('POST', '/channels', { key: 'on-call', name: 'On call', kind: 'inbox' })).body.id;
});
afterEach(() => void (world.services.db.clock.shiftMs = 0));
afterAll(() => world.close());

const linkTo = (alertId: string, change: Partial<AlertLink> = {}): AlertLink => ({
  tenantId: acme.tenantId,
  channelId,
  alertId,
  action: 'acknowledge',
  expiresMs: Date.now() + LINK_LIFETIME_MS,
  ...change,
});
/** The path of a link as a message carries it once it is sent. */
const pathOf = (link: AlertLink, box = world.services.secretBox): string =>
  signLinks(box, unsignedLink('', link), link, link.expiresMs).body;

const HTML = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };
const open = (path: string): Promise<Answer> => world.askWith(null)('GET', path, undefined, HTML);
const tap = (path: string): Promise<Answer> =>
  world.askWith(null)('POST', path, '', { ...HTML, 'content-type': 'application/x-www-form-urlencoded' });
const shown = async (id: string) => (await acme.ask('GET', `/alerts/${id}`)).body;

/** Every row of the tenant, as one text. */
const everything = (): Promise<string> =>
  withTenantsSql(world.services.db, [acme.tenantId], async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class c where relnamespace = 'tocsin'::regnamespace and relkind in ('r', 'p') and not relispartition
        and exists (select from pg_attribute where attrelid = c.oid and attname = 'tenant_id') order by 1`;
    const rows = [];
    for (const { name } of tables)
      rows.push(await sql<{ row: string }[]>`select (to_jsonb(t) - 'last_used_at')::text as row from ${sql(name)} t order by 1`);
    return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
  });

test('whoever only opens a link changes nothing, however often and by whichever method', async () => {
  const path = pathOf(linkTo(await alerts.open('opened')));
  const before = await everything();
  for (let scanned = 0; scanned < 3; scanned += 1) expect((await open(path)).status).toBe(200);
  expect((await world.app.inject({ method: 'HEAD', url: path })).statusCode).toBe(200);
  expect((await world.askWith(null)('GET', path)).status).toBe(200);
  for (const method of ['PUT', 'PATCH', 'DELETE'] as const) expect((await world.askWith(null)(method, path)).status).toBe(405);
  expect(await everything()).toBe(before);
});

test('its page says what it is about and has one button; nothing in it runs, loads or is kept', async () => {
  const id = await alerts.open('page', { ruleName: '<script>alert(1)</script>"' });
  const { text, headers } = await open(pathOf(linkTo(id, { action: 'silence' })));
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex, nofollow' });
  expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;');
  for (const said of ['warning', `${(await shown(id)).startedAt.slice(0, 10)}`, 'Silence for 1 h', 'width=device-width', 'noindex'])
    expect(text).toContain(said);
  expect(text.match(/<button/g)).toHaveLength(1);
  expect(text).not.toMatch(/<script|<img|<link|<iframe|src=|href=|\bon\w+=/);
  const [style = ''] = /(?<=<style>).*(?=<\/style>)/.exec(text) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');
  expect(headers['content-security-policy']).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
});

test('its button acknowledges, once, in the name of the channel', async () => {
  const id = await alerts.open('acknowledged');
  const path = pathOf(linkTo(id));
  expect((await tap(path)).text).toContain('Acknowledged');
  expect((await tap(path)).status).toBe(200);
  const alert = await shown(id);
  expect(alert).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'link:on-call', silencedUntil: null });
  expect(alert.timeline.filter(({ kind }: { kind: string }) => kind === 'acknowledged')).toMatchObject([{ actor: 'link:on-call' }]);
});

test('its button silences for an hour, and does nothing else', async () => {
  const id = await alerts.open('silenced');
  expect((await tap(pathOf(linkTo(id, { action: 'silence' })))).text).toContain('Silenced for 1 h');
  const alert = await shown(id);
  expect(alert).toMatchObject({ status: 'triggered', acknowledgedAt: null });
  expect(Math.abs(Date.parse(alert.silencedUntil) - Date.now() - 3_600_000)).toBeLessThan(600_000);
  expect(alert.timeline).toContainEqual(expect.objectContaining({ kind: 'silenced', actor: 'link:on-call' }));
});

test('without a form, a type or a body it is tapped too, and a body too large is refused', async () => {
  const id = await alerts.open('bare');
  const response = await world.app.inject({ method: 'POST', url: pathOf(linkTo(id)) });
  expect(response.statusCode).toBe(200);
  const path = pathOf(linkTo(id));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  expectProblem(await world.askWith(null)('POST', path, 'x'.repeat(2_000), headers), 'too_large', 413);
  expectProblem(await world.askWith(null)('POST', path, {}), 'unsupported_media_type', 415);
});

test.each<[what: string, path: (id: string) => Promise<string> | string]>([
  ['another key', (id) => pathOf(linkTo(id), secretBox('another-key-for-tests-of-32-chars-or-more'))],
  ['no signature', (id) => unsignedLink('', linkTo(id))],
  ['a character less', (id) => pathOf(linkTo(id)).slice(0, -1)],
  ['words', () => '/links/acknowledge'],
  ["another tenant's name in it", async (id) => forgedTenant(pathOf(linkTo(id)), (await world.tenant('Other')).tenantId)],
])('a link with %s is a 403 that says nothing of the alert, to people and programs', async (_what, pathFor) => {
  const id = await alerts.open('forged');
  const path = await pathFor(id);
  const before = await everything();
  for (const ask of [open, tap]) {
    const answer = await ask(path);
    expect([answer.status, answer.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8']);
    expect(answer.text).toContain('Not a link of ours');
    expect(answer.text).not.toMatch(/Slow calls|warning|forged/);
  }
  expectProblem(await world.askWith(null)('GET', path), 'link_invalid', 403);
  expect(await everything()).toBe(before);
});

test.each<[what: string, path: (id: string) => Promise<string>]>([
  ['is seven days old', async (id) => expiring(pathOf(linkTo(id)))],
  ['is about an alert that is over', async (id) => over(id)],
  ['is about an alert that is deleted', async (id) => (await over(id), await acme.ask('DELETE', `/alerts/${id}`), pathOf(linkTo(id)))],
  ['is about an alert nobody has', async () => pathOf(linkTo(newId()))],
  ['names a tenant that does not have the alert', async (id) => pathOf(await ofAnother(id))],
  ['went through a channel that is deleted', async (id) => pathOf(linkTo(id, { channelId: await deletedChannel() }))],
])('a link that %s is a 410 that says nothing of the alert, to people and programs', async (_what, pathFor) => {
  const id = await alerts.open('late');
  const path = await pathFor(id);
  const before = await everything();
  for (const ask of [open, tap]) {
    const answer = await ask(path);
    expect([answer.status, answer.headers['content-type']]).toEqual([410, 'text/html; charset=utf-8']);
    expect(answer.text).toContain('The link holds no longer');
    expect(answer.text).not.toMatch(/Slow calls|warning|late/);
  }
  expectProblem(await world.askWith(null)('POST', path), 'link_over', 410);
  expect(await everything()).toBe(before);
});

test('no link is in the log, whatever became of it', () => {
  expect(log.length).toBeGreaterThan(20);
  expect(log.join()).not.toMatch(/links\/[\w-]{50}/);
});

const forgedTenant = (path: string, tenantId: string): string => {
  const token = path.slice('/links/'.length);
  const claims = Buffer.from(token.slice(0, 72), 'base64url');
  Buffer.from(tenantId.replaceAll('-', ''), 'hex').copy(claims, 2);
  return `/links/${claims.toString('base64url')}${token.slice(72)}`;
};

const expiring = (path: string): string => {
  world.services.db.clock.shiftMs = LINK_LIFETIME_MS;
  return path;
};

async function over(id: string): Promise<string> {
  expect((await acme.ask('POST', `/alerts/${id}/resolve`)).status).toBe(200);
  return pathOf(linkTo(id));
}

async function ofAnother(alertId: string): Promise<AlertLink> {
  const other = await world.tenant('Other');
  const { body } = await other.ask('POST', '/channels', { key: 'theirs', name: 'Theirs', kind: 'inbox' });
  return linkTo(alertId, { tenantId: other.tenantId, channelId: body.id });
}

async function deletedChannel(): Promise<string> {
  const { body } = await acme.ask('POST', '/channels', { key: 'gone', name: 'Gone', kind: 'inbox' });
  expect((await acme.ask('DELETE', `/channels/${body.id}`)).status).toBe(204);
  return body.id;
}
