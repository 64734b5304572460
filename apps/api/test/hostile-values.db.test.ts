import * as contracts from '@tocsin/contracts';
import { newId } from '@tocsin/db';
import { RuleSpec } from '@tocsin/domain';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { EXAMPLE_BODIES } from './example-requests.ts';
import {
  type Actor,
  ADMIN_KEY,
  aMetric,
  type Answer,
  aRule,
  aSilence,
  aWebhook,
  aWindow,
  openWorld,
  type Method,
  type World,
} from './open-world.ts';
import { incidentOf, openedAlert } from './own-one-of-each.ts';

let world: World;
let tenant: Actor;
let asks: { admin: Awaited<ReturnType<Actor['as']>>; operator: ReturnType<World['askWith']> };
let ids: Record<string, string>;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  asks = { admin: world.askWith(await tenant.apiKey('admin')), operator: world.askWith(ADMIN_KEY) };
  const channel = await tenant.ask('POST', '/channels', aWebhook({ key: 'example-channel' }));
  const rule = await tenant.ask('POST', '/rules', aRule({ key: 'slow' }));
  await tenant.ask('POST', '/metrics/definitions', aMetric({ key: 'open' }));
  const silence = await tenant.ask('POST', '/silences', aSilence());
  const window = await tenant.ask('POST', '/maintenance-windows', aWindow());
  const steps = [{ after: '5m', channels: ['example-channel'] }];
  await tenant.ask('POST', '/escalation-policies', { key: 'nobody', name: 'Nobody has it', steps });
  await tenant.ask('POST', '/runbook-actions', { key: 'restart', name: 'Restart', on: ['fired'], url: 'https://automation.example/in' });
  // Of no rule: what is done to rules ends their alerts.
  const alerts = await openedAlert(world, tenant.tenantId, newId());
  ids = {
    'escalation-policies': 'nobody',
    'runbook-actions': 'restart',
    incidents: await incidentOf(world, tenant.tenantId, alerts),
    silences: silence.body.id,
    'maintenance-windows': window.body.id,
    alerts,
    channels: channel.body.id,
    rules: rule.body.id,
    'by-key': 'example',
    definitions: 'open',
    packs: 'system',
    tenants: tenant.tenantId,
  };
});
afterAll(() => world.close());

interface Route {
  name: string;
  method: Method;
  url: string;
}

const routes = (): Route[] =>
  world.app
    .permissions()
    // What an outside cron sends along is not looked at, and what Slack sends is a form.
    .filter(({ permission }) => permission !== 'scheduler' && permission !== 'signature')
    .flatMap(({ method, url }) =>
      method.split(',').map((each) => ({ method: each as Method, url: url.replace('/api/v1', ''), whole: url })),
    )
    .filter(({ whole, method }) => whole.startsWith('/api/v1/') && String(method) !== 'HEAD')
    .map(({ method, url }) => ({ name: `${method} ${url}`, method, url }));

const filled = (url: string): string => `/api/v1${url.replace(/([^/]+)\/:(\w+)/g, (_, noun: string) => `${noun}/${ids[noun] ?? 'x'}`)}`;

const ask = (route: Route, body: string, headers = {}): Promise<Answer> =>
  (route.url === '/tenants' ? asks.operator : asks.admin)(route.method, filled(route.url), body, headers);

/** What undoes a request that worked, so that the next one meets the same world. */
async function undo({ name }: Route, { body, status }: Answer): Promise<void> {
  if (status !== 201 || name === 'POST /tenants' || name.endsWith('api-keys') || name.startsWith('POST /alerts')) return;
  const kind = ['rules', 'silences', 'maintenance-windows'].find((noun) => name.includes(`/${noun}`)) ?? 'channels';
  const byKey = ['metrics/definitions', 'escalation-policies', 'runbook-actions'].find((noun) => name.endsWith(`/${noun}`));
  const path = byKey === undefined ? `/${kind}/${body.id}` : `/${byKey}/${body.key}`;
  expect((await tenant.ask('DELETE', path)).status).toBe(204);
}

type Step = string | number;
const MARK = '\ue000';

/** Every place within a value, innermost last. */
function placesIn(value: unknown, path: Step[] = []): Step[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([name, item]) => placesIn(item, [...path, Array.isArray(value) ? Number(name) : name]))];
}

/** The JSON of a value with other JSON in one place. */
function withRaw(value: unknown, path: readonly Step[], raw: string): string {
  const copy = structuredClone({ root: value }) as Record<Step, unknown>;
  const [last, ...before] = ['root', ...path].reverse() as [Step, ...Step[]];
  const parent = before.reverse().reduce<Record<Step, unknown>>((at, step) => at[step] as Record<Step, unknown>, copy);
  parent[last] = MARK;
  return JSON.stringify(copy.root).replace(JSON.stringify(MARK), () => raw);
}

/** The same with a field's name replaced. */
function withName(value: unknown, path: readonly Step[], name: string): string {
  const item = path.reduce<unknown>((at, step) => (at as Record<Step, unknown>)[step], value);
  const parent = path.slice(0, -1);
  const siblings = parent.reduce<unknown>((at, step) => (at as Record<Step, unknown>)[step], value) as Record<string, unknown>;
  const others = Object.entries(siblings).filter(([other]) => other !== path.at(-1));
  const fields = [...others, [name, item]].map(([key, each]) => `${JSON.stringify(key)}:${JSON.stringify(each)}`);
  return withRaw(value, parent, `{${fields.join()}}`);
}

const at = (value: unknown, path: readonly Step[]): unknown =>
  path.reduce<unknown>(
    (inner, step) => (typeof inner === 'object' && inner !== null ? (inner as Record<Step, unknown>)[step] : undefined),
    value,
  );

const TEXTS = [
  '',
  ' ',
  'x'.repeat(10_000),
  'a\u0000b',
  'a\nb\r\nx: \u001b[31m\u0085',
  'a\ud800',
  '\u202egnp.exe\u200b\u2028',
  '💩 e\u0301ﬀ',
  "'; drop table rules;-- ' || pg_sleep(5) || '\\ %s $1 _%",
  "{{constructor.constructor('return process')()}}${7*7}<script>alert(1)</script><!channel>&lt;",
  '../../etc/passwd',
  'constructor',
  'toString',
  '__proto__',
  ' __proto__',
  'NaN',
];
const NUMBERS = ['1e400', '-1e400', '-0', '1e-400', '9007199254740993', '-1', '0.1', '1e308', '1e21'];
const OTHERS = ['null', 'true', '[]', '{}', '[[]]', '{"a":{}}', '[null]', `${'['.repeat(40)}${']'.repeat(40)}`];
const BROKEN = [
  'NaN',
  'Infinity',
  '0x10',
  '01',
  '+1',
  '"\\x41"',
  "'a'",
  'undefined',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
];

const pointerTo = (path: readonly Step[]): string => path.map((step) => `/${step}`).join('');

/** Ours and no fault of ours; a refusal says where. */
function expectSound(answer: Answer, what: string): void {
  expect(answer.status, `${what} → ${answer.text.slice(0, 500)}`).toBeLessThan(500);
  expect(answer.text.length, what).toBeLessThan(50_000);
  if (answer.status < 400) return;
  const { errors, status } = contracts.Problem.parse(answer.body);
  if (status === 422) expect(errors, what).not.toHaveLength(0);
}

const told = (route: Route, path: readonly Step[], raw: string): string => `${route.name} ${pointerTo(path)} ${raw.slice(0, 60)}`;

/** Every place of every route's example; a piece of one that another has at the same place is read by the same code, and comes once. */
function places(): { route: Route; example: unknown; path: Step[] }[] {
  const seen = new Set<string>();
  return routes().flatMap((route) => {
    const example = EXAMPLE_BODIES[route.name];
    if (example === undefined) return [];
    return placesIn(example).flatMap((path) => {
      const piece = `${pointerTo(path)} ${JSON.stringify(at(example, path))}`;
      if (path.length > 1 && seen.has(piece)) return [];
      seen.add(piece);
      return [{ route, example, path }];
    });
  });
}

describe('a body', { timeout: 600_000 }, () => {
  test('has an example here for every route that takes one, which says all that it may say', async () => {
    for (const route of routes().filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method))) {
      const example = EXAMPLE_BODIES[route.name];
      const answer = await ask(route, example === undefined ? '{"a":1}' : JSON.stringify(example));
      if (example === undefined) expect(answer.text, `${route.name} takes a body: give an example`).toContain('This takes no body.');
      else expect(answer.status, `${route.name} ${answer.text}`).toBeLessThan(300);
      if (example !== undefined) await undo(route, answer);
    }
    const fieldsOf = (schema: z.ZodObject): string[] => Object.keys(schema.shape);
    const said = (name: string): string[] => Object.keys(EXAMPLE_BODIES[name] ?? {});
    expect(said('POST /rules').sort()).toEqual([...fieldsOf(RuleSpec), 'enabled'].sort());
    expect(said('POST /channels').sort()).toEqual(fieldsOf(contracts.CreateChannel).sort());
    expect(said('PATCH /channels/:id').sort()).toEqual(fieldsOf(contracts.UpdateChannel).sort());
    expect(said('PATCH /metrics/definitions/:key').sort()).toEqual(fieldsOf(contracts.UpdateMetricDefinition).sort());
    expect(said('POST /packs/:key/install').sort()).toEqual(fieldsOf(contracts.InstallPack).sort());
    expect(said('PUT /schedule').sort()).toEqual(fieldsOf(contracts.PutSchedule).sort());
    expect(said('POST /tenants').sort()).toEqual(fieldsOf(contracts.CreateTenant).sort());
    expect(said('POST /tenants/:tenantId/api-keys').sort()).toEqual(fieldsOf(contracts.CreateApiKey).sort());
  });

  test('with any text in any place is refused, or keeps the text as it is', async () => {
    for (const { route, example, path } of places()) {
      for (const text of TEXTS) {
        const raw = JSON.stringify(text);
        const answer = await ask(route, withRaw(example, path, raw));
        const what = told(route, path, raw);
        expectSound(answer, what);
        const kept = at(answer.body, path);
        const isHidden = path[1] === 'secret' || path[1] === 'headers';
        if (answer.status < 300 && typeof kept === 'string' && !isHidden) expect([text, text.trim()], what).toContain(kept);
        await undo(route, answer);
      }
    }
  });

  test('with any number, or anything else, in any place is refused, or keeps the number as it is', async () => {
    for (const { route, example, path } of places()) {
      for (const raw of [...NUMBERS, ...OTHERS]) {
        const answer = await ask(route, withRaw(example, path, raw));
        const what = told(route, path, raw);
        expectSound(answer, what);
        const kept = at(answer.body, path);
        // Of a field that has a default, null is that.
        if (answer.status < 300 && typeof kept === 'number' && raw !== 'null') expect(kept, what).toBe(Number(raw) + 0);
        await undo(route, answer);
      }
    }
  });

  test('with what is not JSON, or reaches for a prototype, is a 400', async () => {
    for (const { route, example, path } of places().filter((place) => place.path.length === 1)) {
      for (const raw of BROKEN) expect((await ask(route, withRaw(example, path, raw))).status, told(route, path, raw)).toBe(400);
    }
  });

  test('with any name for any of its fields is refused, or keeps the name as it is', async () => {
    for (const { route, example, path } of places().filter((place) => typeof place.path.at(-1) === 'string')) {
      const within = path.slice(0, -1);
      for (const name of TEXTS) {
        const answer = await ask(route, withName(example, path, name));
        const what = told(route, path, `as ${JSON.stringify(name)}`);
        expectSound(answer, what);
        const shown = at(answer.body, within);
        if (answer.status < 300 && path.length > 1 && typeof shown === 'object' && shown !== null)
          expect(Object.keys(shown), what).toContain(path[1] === 'headers' ? name.trim().toLowerCase() : name.trim());
        await undo(route, answer);
      }
    }
  });
});
