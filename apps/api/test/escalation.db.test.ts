import {
  EscalationPolicy,
  EscalationPolicyList,
  Incident,
  IncidentAnswer,
  IncidentDetail,
  pageOf,
  RunbookAction,
  RunbookActionList,
} from '@tocsin/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';
import { ownOneOfEach } from './own-one-of-each.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
  for (const key of ['lead', 'boss']) await tenant.ask('POST', '/channels', aWebhook({ key, name: key }));
});
afterAll(() => world.close());

const PATH = '/escalation-policies';
const aPolicy = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  key: 'on-call',
  name: 'On call',
  steps: [
    { after: '300s', channels: ['lead', 'lead'] },
    { after: '15m', channels: ['boss'] },
  ],
  ...changes,
});

test('a policy comes back in canonical words, and is replaced whole by whoever has read it last', async () => {
  const made = await tenant.ask('POST', PATH, aPolicy());
  expect(made.status, made.text).toBe(201);
  expect(EscalationPolicy.parse(made.body)).toMatchObject({
    key: 'on-call',
    position: 100,
    matchers: [],
    steps: [
      { after: '5m', channels: ['lead'] },
      { after: '15m', channels: ['boss'] },
    ],
    repeat: null,
    version: 1,
  });
  expect(made.headers['etag']).toBe('"1"');
  expect((await tenant.ask('GET', `${PATH}/on-call`)).body).toEqual(made.body);
  expectProblem(await tenant.ask('POST', PATH, aPolicy()), 'key_taken', 409);

  const whole = { name: 'Nights', position: 1, steps: [{ after: '1h30m', channels: ['boss'] }], repeat: { every: '10m', times: 3 } };
  const put = await tenant.ask('PUT', `${PATH}/on-call`, whole, { 'if-match': '"1"' });
  expect(put.body).toMatchObject({ ...whole, steps: [{ after: '90m', channels: ['boss'] }], version: 2 });
  expectProblem(await tenant.ask('PUT', `${PATH}/on-call`, whole, { 'if-match': '"1"' }), 'version_mismatch', 412);
  expectProblem(await tenant.ask('DELETE', `${PATH}/on-call`, undefined, { 'if-match': '"1"' }), 'version_mismatch', 412);
  expect((await tenant.ask('DELETE', `${PATH}/on-call`)).status).toBe(204);
  expectProblem(await tenant.ask('GET', `${PATH}/on-call`), 'not_found', 404);
});

test('they are listed in the order in which they are tried', async () => {
  const own = await world.tenant();
  await own.ask('POST', '/channels', aWebhook({ key: 'lead' }));
  const steps = [{ after: '5m', channels: ['lead'] }];
  for (const [key, position] of [
    ['z', 1],
    ['b', 5],
    ['a', 5],
  ] as const)
    await own.ask('POST', PATH, { key, name: key, position, steps });
  expect(EscalationPolicyList.parse((await own.ask('GET', PATH)).body).data.map(({ key }) => key)).toEqual(['z', 'a', 'b']);
});

test.each([
  ['a channel that is not there', { steps: [{ after: '5m', channels: ['lead', 'bos'] }] }, '/steps/0/channels/1', 'unknown_channel'],
  ['no duration', { steps: [{ after: 'soon', channels: ['lead'] }] }, '/steps/0/after', 'bad_duration'],
  ['too soon', { steps: [{ after: '59s', channels: ['lead'] }] }, '/steps/0/after', 'out_of_range'],
  ['too late', { steps: [{ after: '25h', channels: ['lead'] }] }, '/steps/0/after', 'out_of_range'],
  [
    'not later than the step before',
    {
      steps: [
        { after: '5m', channels: ['lead'] },
        { after: '300s', channels: ['boss'] },
      ],
    },
    '/steps/1/after',
    'conflict',
  ],
  ['repeats that are no time apart', { repeat: { every: '0s', times: 2 } }, '/repeat/every', 'out_of_range'],
  ['too many repeats', { repeat: { every: '5m', times: 11 } }, '/repeat/times', 'too_big'],
  ['no steps', { steps: [] }, '/steps', 'too_small'],
  ['six steps', { steps: [1, 2, 3, 4, 5, 6].map((n) => ({ after: `${n}m`, channels: ['lead'] })) }, '/steps', 'too_big'],
  ['nobody to tell', { steps: [{ after: '5m', channels: [] }] }, '/steps/0/channels', 'too_small'],
  ['a field that is none', { every: '5m' }, '/every', 'unknown_field'],
  ['a pattern that is none', { matchers: [{ label: 'a', op: '~', value: '(' }] }, '/matchers/0/value', 'bad_pattern'],
])('refuses %s, and says where', async (_name, changes, pointer, code) => {
  const problem = expectProblem(await tenant.ask('POST', PATH, aPolicy({ key: 'bad', ...changes })), 'invalid', 422);
  expect(problem.errors).toEqual([expect.objectContaining({ pointer, code })]);
});

test('a channel that a step tells is not deleted unless that is forced', async () => {
  const own = await world.tenant();
  const channel = await own.ask('POST', '/channels', aWebhook({ key: 'lead' }));
  await own.ask('POST', PATH, { key: 'p', name: 'P', steps: [{ after: '5m', channels: ['lead'] }] });
  const problem = expectProblem(await own.ask('DELETE', `/channels/${channel.body.id}`), 'channel_in_use', 409);
  expect(problem.detail).toBe('It is notified by an escalation policy.');
  expect((await own.ask('DELETE', `/channels/${channel.body.id}?force=true`)).status).toBe(204);
});

test('a runbook action shows the secret that was made for it once, keeps it when it is replaced, and is no channel', async () => {
  const own = await world.tenant();
  const body = { key: 'restart', name: 'Restart', on: ['fired', 'resolved'], url: 'https://automation.example/in' };
  const made = await own.ask('POST', '/runbook-actions', body);
  expect(made.status, made.text).toBe(201);
  expect(RunbookAction.parse(made.body)).toMatchObject({ ...body, enabled: true, matchers: [], version: 1 });
  expect(made.body.secret).toMatch(/^whsec_/);
  const read = (await own.ask('GET', '/runbook-actions/restart')).body;
  expect(read).toEqual({ ...made.body, secret: `••••${made.body.secret.slice(-4)}` });
  expectProblem(await own.ask('POST', '/runbook-actions', body), 'key_taken', 409);

  const { key: _key, ...whole } = body;
  const put = await own.ask('PUT', '/runbook-actions/restart', { ...whole, on: ['acknowledged'], enabled: false }, { 'if-match': '"1"' });
  expect(put.body).toMatchObject({ on: ['acknowledged'], enabled: false, secret: read.secret, version: 2 });
  expectProblem(await own.ask('PUT', '/runbook-actions/restart', whole, { 'if-match': '"1"' }), 'version_mismatch', 412);
  expect(RunbookActionList.parse((await own.ask('GET', '/runbook-actions')).body).data).toHaveLength(1);
  expect((await own.ask('GET', '/channels')).body.data).toEqual([]);
  expect((await own.ask('DELETE', '/runbook-actions/restart')).status).toBe(204);
  expectProblem(await own.ask('GET', '/runbook-actions/restart'), 'not_found', 404);
});

test('an action that would call what is not allowed is refused, field by field', async () => {
  const body = { key: 'bad', name: 'Bad', on: ['fired'], url: 'https://automation.example/in' };
  const inside = expectProblem(
    await tenant.ask('POST', '/runbook-actions', { ...body, url: 'http://127.0.0.1/in' }),
    'url_not_allowed',
    422,
  );
  expect(inside.errors).toEqual([expect.objectContaining({ pointer: '/url' })]);
  const secret = expectProblem(await tenant.ask('POST', '/runbook-actions', { ...body, secret: 'short' }), 'invalid', 422);
  expect(secret.errors).toEqual([expect.objectContaining({ pointer: '/secret' })]);
  expectProblem(await tenant.ask('POST', '/runbook-actions', { ...body, on: [] }), 'invalid', 422);
});

test('an incident is read with its alerts and what happened to them, and handled at once', async () => {
  const own = await world.tenant();
  const owned = await ownOneOfEach(world, own);
  const path = `/incidents/${owned['incidents']}`;
  const list = pageOf(Incident).parse((await own.ask('GET', '/incidents?status=open')).body);
  expect(list.data).toMatchObject([
    { id: owned['incidents'], status: 'open', severity: 'warning', alerts: { linked: 1, open: 1 }, resolvedAt: null },
  ]);
  expect((await own.ask('GET', '/incidents?status=resolved')).body.data).toEqual([]);

  const acked = IncidentAnswer.parse((await own.ask('POST', `${path}/acknowledge`, { note: 'on it' })).body);
  expect(acked).toMatchObject({ data: [{ id: owned['alerts'], result: 'done', status: 'acknowledged' }], counts: { done: 1 } });
  expect((await own.ask('POST', `${path}/acknowledge`)).body.counts).toEqual({ done: 0, unchanged: 1, failed: 0 });
  expect((await own.ask('POST', `${path}/resolve`, { notes: 'restarted' })).body.counts).toEqual({ done: 1, unchanged: 0, failed: 0 });
  const shown = IncidentDetail.parse((await own.ask('GET', path)).body);
  expect(shown.incident).toMatchObject({ status: 'resolved', alerts: { linked: 1, open: 0 } });
  expect(shown.incident.resolvedAt).not.toBeNull();
  expect(shown.alerts).toMatchObject([{ id: owned['alerts'], status: 'resolved', resolutionNotes: 'restarted' }]);
  const kinds = shown.timeline.map(({ alertId, kind }) => [alertId, kind]);
  expect(kinds).toEqual([
    [owned['alerts'], 'acknowledged'],
    [owned['alerts'], 'resolved'],
  ]);
  expect((await own.ask('POST', `${path}/resolve`)).body).toEqual({ data: [], counts: { done: 0, unchanged: 0, failed: 0 } });
});
