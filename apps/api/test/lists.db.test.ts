import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Actor, ADMIN_KEY, aMetric, aRule, aWebhook, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

interface Listed {
  id: string;
}

test.for<[string, () => Promise<unknown>]>([
  ['rules', () => tenant.ask('POST', '/rules', aRule({ key: `rule-${Math.random()}`.replace('.', '') }))],
  ['channels', () => tenant.ask('POST', '/channels', aWebhook({ key: `hook-${Math.random()}`.replace('.', '') }))],
  ['metrics/definitions', () => tenant.ask('POST', '/metrics/definitions', aMetric({ key: `metric-${Math.random()}`.replace('.', '') }))],
  ['deliveries', testMessage],
  ['inbox', testMessage],
  [
    'tenants/:id/api-keys',
    () => world.askWith(ADMIN_KEY)('POST', `/api/v1/tenants/${tenant.tenantId}/api-keys`, { name: 'k', role: 'viewer' }),
  ],
])('%s come newest first, page by page', async ([list, make]) => {
  const ask = world.askWith(await tenant.apiKey('admin'));
  const path = `/api/v1/${list.replace(':id', tenant.tenantId)}`;
  const idsOf = async (query: string): Promise<{ ids: string[]; next: string | null }> => {
    const { body } = await ask('GET', `${path}?${query}`);
    return { ids: (body.data as Listed[]).map(({ id }) => id), next: body.nextCursor as string | null };
  };
  const made: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    await make();
    made.unshift((await idsOf('limit=1')).ids[0]!);
  }
  expect(new Set(made).size).toBe(3);
  const first = await idsOf('limit=2');
  expect(first.ids).toEqual(made.slice(0, 2));
  expect((await idsOf(`limit=1&cursor=${first.next}`)).ids).toEqual(made.slice(2));
  expect((await idsOf('limit=500')).ids.slice(0, 3)).toEqual(made);
});

async function testMessage(): Promise<unknown> {
  await tenant.ask('POST', '/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox' });
  const { body } = await tenant.ask('GET', '/channels?kind=inbox');
  return tenant.ask('POST', `/channels/${body.data[0].id}/test`);
}
