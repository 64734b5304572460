import { withTenantsSql } from '@tocsin/db';
import { applyDefaults, type Defaults, parseDefaults } from '@tocsin/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Actor, ADMIN_KEY, type Answer, aRule, openWorld, type World } from './open-world.ts';

interface Version {
  threshold?: number;
  rules?: readonly string[];
  url?: string;
}

/** The installation's file: rules that tell a webhook, whose address comes from the environment. */
const defaultsOf = ({ threshold = 1_000, rules = ['slow', 'failing'], url = 'https://hooks.example/one' }: Version = {}): Defaults =>
  parseDefaults(
    JSON.stringify({
      version: 1,
      channels: [{ key: 'everybody', name: 'Everybody', kind: 'webhook', config: { url: '${URL}' } }],
      rules: rules.map((key) =>
        aRule({ key, condition: { metric: 'latency', window: '5m', operator: '>', threshold }, notify: ['everybody'] }),
      ),
    }),
    'rules.yaml',
    { URL: url },
  );

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const give = (version?: Version): Promise<number> => applyDefaults(world.services, defaultsOf(version));
const keysOf = async ({ ask }: Actor): Promise<string[]> =>
  (await ask('GET', '/rules')).body.data.map(({ key, enabled }: Answer['body']) => (enabled ? key : `${key} (off)`)).toSorted();
const ruleOf = async ({ ask }: Actor, key: string): Promise<Answer['body']> => (await ask('GET', `/rules/by-key/${key}`)).body;
const channelOf = async ({ ask }: Actor): Promise<Answer['body']> => (await ask('GET', '/channels')).body.data[0];
const audited = ({ tenantId }: Actor): Promise<string[]> =>
  withTenantsSql(world.services.db, [tenantId], async (sql) =>
    (await sql<{ action: string }[]>`select action from audit_events where actor = 'config' order by at, id`).map(({ action }) => action),
  );

describe('default rules', () => {
  test('are given to every tenant there is, and once, however many processes begin at the same time', async () => {
    const tenants = [await world.tenant(), await world.tenant(), await world.tenant()];
    const given = await Promise.all([give(), give(), give(), give()]);
    expect(given.reduce((sum, each) => sum + each, 0)).toBe(3);
    for (const tenant of tenants) {
      expect(await keysOf(tenant)).toEqual(['failing', 'slow']);
      expect(await audited(tenant)).toEqual(['channel.created', 'rule.created', 'rule.created', 'pack.installed']);
      expect(await ruleOf(tenant, 'slow')).toMatchObject({
        pack: 'config',
        createdBy: 'config',
        notify: [{ channel: 'everybody', minSeverity: 'info' }],
      });
    }
    expect(await give()).toBe(0);
  });

  test('are given to a new tenant with its making, and are not where there is no file', async () => {
    const operator = world.askWith(ADMIN_KEY);
    world.services.defaults = defaultsOf();
    const made = await operator('POST', '/api/v1/tenants', { name: 'New', externalKey: 'new' });
    delete world.services.defaults;
    const bare = await operator('POST', '/api/v1/tenants', { name: 'Bare', externalKey: 'bare' });
    const count = (tenantId: string): Promise<number> =>
      withTenantsSql(world.services.db, [tenantId], async (sql) => (await sql`select from rules`).length);
    expect(made.status, made.text).toBe(201);
    expect([await count(made.body.id), await count(bare.body.id)]).toEqual([2, 0]);
    await give();
  });

  test('follow the file where nobody changed them: rules, addresses, and what is taken out is switched off', async () => {
    const tenant = await world.tenant();
    await give();
    await give({ threshold: 2_000, rules: ['slow'], url: 'https://hooks.example/two' });
    expect(await keysOf(tenant)).toEqual(['failing (off)', 'slow']);
    expect(await ruleOf(tenant, 'slow')).toMatchObject({ condition: { threshold: 2_000 }, version: 2, updatedBy: 'config' });
    const channel = await channelOf(tenant);
    expect(channel).toMatchObject({ config: { url: 'https://hooks.example/two' }, version: 2 });
    await give();
    expect(await keysOf(tenant), 'and comes again with the file').toEqual(['failing', 'slow']);
    expect((await channelOf(tenant)).config.secret, 'the secret that was made stays').toEqual(channel.config.secret);
  });

  test('leave to a tenant what is its own, what it changed and what it deleted', async () => {
    const [own, changed, deleted] = [await world.tenant(), await world.tenant(), await world.tenant()];
    await own.ask('POST', '/rules', aRule({ key: 'slow', name: 'Mine' }));
    await own.ask('POST', '/channels', { key: 'everybody', name: 'Mine', kind: 'inbox' });
    await give();
    await changed.ask('PATCH', `/rules/${(await ruleOf(changed, 'slow')).id}`, { severity: 'critical' });
    await changed.ask('PATCH', `/channels/${(await channelOf(changed)).id}`, { config: { url: 'https://own.example' } });
    await deleted.ask('DELETE', `/rules/${(await ruleOf(deleted, 'slow')).id}`);
    await deleted.ask('DELETE', `/channels/${(await channelOf(deleted)).id}?force=true`);
    await give({ threshold: 3_000, url: 'https://hooks.example/three' });
    expect(await ruleOf(own, 'slow')).toMatchObject({ name: 'Mine', pack: null, condition: { threshold: 1_000 } });
    expect(await channelOf(own)).toMatchObject({ name: 'Mine', kind: 'inbox' });
    expect(await ruleOf(changed, 'slow')).toMatchObject({ severity: 'critical', condition: { threshold: 1_000 } });
    expect((await channelOf(changed)).config.url).toBe('https://own.example');
    expect(await keysOf(deleted)).toEqual(['failing']);
    expect(await channelOf(deleted)).toBeUndefined();
    expect((await ruleOf(deleted, 'failing')).notify).toEqual([]);
  });

  test('do not wait for a tenant that has as many rules as it may have', async () => {
    const [full, other] = [await world.tenant(), await world.tenant()];
    for (const key of ['one', 'two']) await full.ask('POST', '/rules', aRule({ key, name: key }));
    const rule = { depth: 8, comparisons: 32, maxWindowMs: 2_592_000_000, minEveryMs: 10_000 };
    const defaults = defaultsOf({ threshold: 4_000 });
    await applyDefaults({ ...world.services, serviceBounds: { rulesPerTenant: 2, rule } }, defaults);
    expect(await keysOf(full)).toEqual(['one', 'two']);
    expect(await keysOf(other)).toEqual(['failing', 'slow']);
  });
});
