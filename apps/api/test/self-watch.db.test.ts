import { PLATFORM_TENANT_ID } from '@tocsin/domain';
import { ensurePlatform } from '@tocsin/services';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMIN_KEY, openWorld, type World } from './open-world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

test('the installation’s own tenant is made once, watches with the rules that are shipped, tells its inbox, and is the operator’s to read', async () => {
  await ensurePlatform(world.services);
  await ensurePlatform(world.services);
  const operator = world.askWith(ADMIN_KEY);
  const made = await operator('POST', `/api/v1/tenants/${PLATFORM_TENANT_ID}/api-keys`, { name: 'me', role: 'admin' });
  expect(made.status, made.text).toBe(201);
  const platform = world.askWith(made.body.key);
  const rules = (await platform('GET', '/api/v1/rules')).body.data as { key: string; notify: { channel: string }[]; enabled: boolean }[];
  expect(rules.map(({ key }) => key).toSorted()).toEqual([
    'self-watch-dead-letters',
    'self-watch-delivery-failures',
    'self-watch-evaluation-lag',
    'self-watch-ingest-silence',
    'self-watch-queue-depth',
  ]);
  const channels = (await platform('GET', '/api/v1/channels')).body.data as { key: string; kind: string }[];
  const [inbox] = channels.filter(({ kind }) => kind === 'inbox');
  expect(channels).toHaveLength(1);
  for (const { notify, enabled } of rules) expect([notify.map(({ channel }) => channel), enabled]).toEqual([[inbox?.key], true]);

  // What a person changed there is left alone by the next start.
  const changed = rules.find(({ key }) => key === 'self-watch-ingest-silence') as unknown as { id: string };
  await platform('POST', `/api/v1/rules/${changed.id}/disable`);
  await ensurePlatform(world.services);
  expect((await platform('GET', `/api/v1/rules/${changed.id}`)).body.enabled).toBe(false);
});

test('its pack is to be had nowhere else', async () => {
  const tenant = await world.tenant();
  const keys = (await tenant.ask('GET', '/packs')).body.data.map(({ key }: { key: string }) => key);
  expect(keys).not.toContain('self-watch');
  expect((await tenant.ask('POST', '/packs/self-watch/install')).status).toBe(404);
});
