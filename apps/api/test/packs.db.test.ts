import { Pack, PackInstallation, PackList } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { readPack, shippedPacks } from '@tocsin/services';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Actor, type Answer, aRule, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

/** A pack of this test's own, whose next version changes, drops and adds a rule. */
const pack = (version: 1 | 2) =>
  readPack(
    JSON.stringify({
      version: 1,
      key: 'shop',
      name: 'Shop',
      description: 'What a shop watches.',
      looksAt: [{ event: 'sale', means: 'a sale', dims: {}, measures: {} }],
      rules: [
        aRule({ key: 'shop-slow', condition: { metric: 'latency', window: '5m', operator: '>', threshold: version * 1_000 } }),
        aRule({ key: 'shop-same', name: 'Same' }),
        aRule({ key: version === 1 ? 'shop-old' : 'shop-new', name: 'Old or new' }),
      ],
    }),
    'shop.yaml',
  );

let world: World;
let tenant: Actor;
beforeAll(async () => {
  world = await openWorld({ packs: [...shippedPacks(), pack(1)] });
});
afterAll(() => world.close());
beforeEach(async () => {
  world.services.packs = [...shippedPacks(), pack(1)];
  tenant = await world.tenant();
});

const install = async (body?: unknown, query = '', key = 'shop'): Promise<PackInstallation> => {
  const answer = await tenant.ask('POST', `/packs/${key}/install${query}`, body);
  expect(answer.status, answer.text).toBe(200);
  return PackInstallation.parse(answer.body);
};
const actions = ({ changes }: PackInstallation): Record<string, string> =>
  Object.fromEntries(changes.map(({ key, action, reason }) => [key, reason === null ? action : `${action}: ${reason}`]));
const rules = async (): Promise<Answer['body'][]> => (await tenant.ask('GET', '/rules?limit=500')).body.data;
const ruleOf = async (key: string): Promise<Answer['body']> => (await tenant.ask('GET', `/rules/by-key/${key}`)).body;
const shown = async (): Promise<Pack> => Pack.parse((await tenant.ask('GET', '/packs/shop')).body);
const audited = (): Promise<string[]> =>
  withTenantsSql(world.services.db, [tenant.tenantId], async (sql) =>
    (await sql<{ action: string }[]>`select action from audit_events where subject = 'shop' order by at, id`).map(({ action }) => action),
  );

describe('installing a pack', () => {
  test('of the product makes all of its rules, which tell an inbox that is made, and nobody else', async () => {
    // That of the installation's own tenant is to be had nowhere else.
    const packs = shippedPacks().filter(({ key }) => key !== 'self-watch');
    for (const { key, rules: shipped } of packs) {
      const installed = await install(undefined, '', key);
      expect(installed.notify).toEqual([{ channel: 'inbox', minSeverity: 'info' }]);
      expect(installed.changes.map(({ action }) => action)).toEqual(shipped.map(() => 'create'));
    }
    const made = await rules();
    expect(made.length).toBe(packs.reduce((count, { rules: shipped }) => count + shipped.length, 0));
    expect(new Set(made.map((rule) => JSON.stringify(rule.notify)))).toEqual(new Set(['[{"channel":"inbox","minSeverity":"info"}]']));
    const { data: channels } = (await tenant.ask('GET', '/channels')).body;
    expect(channels.map(({ key, kind }: Answer['body']) => [key, kind])).toEqual([['inbox', 'inbox']]);
    expect((await ruleOf('llm-gone-quiet')).pack).toBe('llm-app');
  });

  test('twice changes nothing more', async () => {
    await install();
    const [before, at] = [await rules(), await audited()];
    expect(actions(await install())).toEqual({ 'shop-slow': 'unchanged', 'shop-same': 'unchanged', 'shop-old': 'unchanged' });
    expect([await rules(), await audited()]).toEqual([before, at]);
    expect(at).toEqual(['pack.installed']);
  });

  test('ten times at once makes one of each, and one inbox', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, (_, index) => install(undefined, '', index % 2 === 0 ? 'shop' : 'system')));
    expect(all.filter(({ changes }) => changes.some(({ action }) => action === 'create'))).toHaveLength(2);
    expect(await rules()).toHaveLength(3 + 5);
    expect((await tenant.ask('GET', '/channels')).body.data).toHaveLength(1);
  });

  test('as a dry run says the same and changes nothing, whatever Idempotency-Key it carries', async () => {
    await tenant.ask('POST', '/rules', aRule({ key: 'shop-same', name: 'Mine' }));
    const before = await rules();
    const key = { 'idempotency-key': 'one' };
    const dry = PackInstallation.parse((await tenant.ask('POST', '/packs/shop/install?dryRun=true', undefined, key)).body);
    expect([await rules(), (await tenant.ask('GET', '/channels')).body.data]).toEqual([before, []]);
    expect(dry).toMatchObject({ dryRun: true, notify: [{ channel: 'inbox', minSeverity: 'info' }] });
    const wet = PackInstallation.parse((await tenant.ask('POST', '/packs/shop/install', undefined, key)).body);
    expect(wet.dryRun).toBe(false);
    expect(actions(wet)).toEqual(actions(dry));
    const again = await tenant.ask('POST', '/packs/shop/install', undefined, key);
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([wet, 'true']);
  });

  test('leaves a rule of the tenant’s own of the same key as it is', async () => {
    const own = (await tenant.ask('POST', '/rules', aRule({ key: 'shop-slow', name: 'Mine' }))).body;
    expect(actions(await install())).toEqual({ 'shop-slow': 'kept: own_rule', 'shop-same': 'create', 'shop-old': 'create' });
    await tenant.ask('POST', '/packs/shop/disable');
    await tenant.ask('POST', '/packs/shop/uninstall');
    expect(await rules()).toEqual([own]);
    expect(own.pack).toBeNull();
  });

  test('tells the tenant’s inbox where there is one, and the channels that are chosen, then or later', async () => {
    await tenant.ask('POST', '/channels', { key: 'team', name: 'Team', kind: 'inbox' });
    await tenant.ask('POST', '/channels', aWebhook());
    expect((await install()).notify).toEqual([{ channel: 'team', minSeverity: 'info' }]);
    await tenant.ask('PATCH', `/rules/${(await ruleOf('shop-slow')).id}`, { name: 'Slower' });
    await tenant.ask('PATCH', `/rules/${(await ruleOf('shop-old')).id}`, { notify: [] });
    expect(actions(await install({ notify: ['hook'] }))).toEqual({ 'shop-slow': 'update', 'shop-same': 'update', 'shop-old': 'unchanged' });
    const hook = [{ channel: 'hook', minSeverity: 'info' }];
    const told = await Promise.all(['shop-slow', 'shop-same', 'shop-old'].map(async (key) => (await ruleOf(key)).notify));
    expect(told, 'a rule whose channels people chose keeps them').toEqual([hook, hook, []]);
    expect((await ruleOf('shop-slow')).name, 'and one whose words they changed its words').toBe('Slower');
    expect((await install()).notify, 'what was chosen stays').toEqual(hook);
    const unknown = expectProblem(await tenant.ask('POST', '/packs/shop/install', { notify: ['hok'] }), 'invalid', 422);
    expect(unknown.errors?.[0]).toMatchObject({ pointer: '/notify/0/channel', code: 'unknown_channel' });
    expectProblem(await tenant.ask('POST', '/packs/shop/install?dryRun=true', { notify: ['hok'] }), 'invalid', 422);
  });
});

describe('a pack that is shipped anew', () => {
  const upgrade = (): void => void (world.services.packs = [...shippedPacks(), pack(2)]);

  test('is an update, which changes what it changed and switches off what it dropped', async () => {
    await install();
    await tenant.ask('POST', `/rules/${(await ruleOf('shop-slow')).id}/disable`);
    expect((await shown()).updateAvailable).toBe(false);
    upgrade();
    expect((await shown()).updateAvailable).toBe(true);
    const expected = { 'shop-slow': 'update', 'shop-same': 'unchanged', 'shop-new': 'create', 'shop-old': 'retire' };
    expect(actions(await install(undefined, '?dryRun=true'))).toEqual(expected);
    expect(actions(await install())).toEqual(expected);
    expect(await ruleOf('shop-slow')).toMatchObject({ condition: { threshold: 2_000 }, enabled: false, version: 3 });
    expect(await ruleOf('shop-old')).toMatchObject({ enabled: false, pack: 'shop' });
    expect((await shown()).updateAvailable).toBe(false);
    await tenant.ask('POST', '/packs/shop/enable');
    expect((await ruleOf('shop-old')).enabled, 'what was dropped is not switched on with the rest').toBe(false);
  });

  test('and back switches the dropped rule on again', async () => {
    await install();
    upgrade();
    await install();
    world.services.packs = [pack(1)];
    expect(actions(await install())).toMatchObject({ 'shop-old': 'update', 'shop-new': 'retire' });
    expect(await ruleOf('shop-old')).toMatchObject({ enabled: true });
  });

  test('leaves alone what people changed and what they deleted', async () => {
    await install();
    const changed = await ruleOf('shop-slow');
    await tenant.ask('PATCH', `/rules/${changed.id}`, { for: '5m' });
    await tenant.ask('DELETE', `/rules/${(await ruleOf('shop-same')).id}`);
    upgrade();
    expect(actions(await install())).toEqual({
      'shop-slow': 'kept: changed',
      'shop-same': 'kept: deleted',
      'shop-new': 'create',
      'shop-old': 'retire',
    });
    expect(await ruleOf('shop-slow')).toMatchObject({ for: '5m', condition: { threshold: 1_000 } });
    await tenant.ask('POST', '/packs/shop/uninstall');
    expect(
      (await rules()).map(({ key, pack: from }) => [key, from]),
      'its own from now on',
    ).toEqual([['shop-slow', null]]);
    expect(actions(await install())).toMatchObject({ 'shop-slow': 'kept: own_rule', 'shop-same': 'create' });
  });
});

describe('a pack', () => {
  test('is switched off and on and taken away as a whole, and is listed as that', async () => {
    expectProblem(await tenant.ask('POST', '/packs/shop/disable'), 'not_found', 404);
    await install();
    expect((await tenant.ask('POST', '/packs/shop/disable')).body).toEqual({
      key: 'shop',
      changed: ['shop-old', 'shop-same', 'shop-slow'],
    });
    expect((await rules()).map(({ enabled }) => enabled)).toEqual([false, false, false]);
    expect(await shown()).toMatchObject({ installed: true, enabled: false, updateAvailable: false });
    expect((await tenant.ask('POST', '/packs/shop/disable')).body.changed).toEqual([]);
    expect((await tenant.ask('POST', '/packs/shop/enable')).body.changed).toHaveLength(3);
    expect(await shown()).toMatchObject({ enabled: true });
    expect((await tenant.ask('POST', '/packs/shop/uninstall')).body).toEqual({
      key: 'shop',
      deleted: ['shop-old', 'shop-same', 'shop-slow'],
      kept: [],
    });
    expect(await shown()).toMatchObject({ installed: false, enabled: null, notify: null });
    expect(await audited()).toEqual(['pack.installed', 'pack.disabled', 'pack.enabled', 'pack.uninstalled']);
  });

  test('is listed with what it looks at, a sentence and a reason for each rule, and what installing would do', async () => {
    const { data } = PackList.parse((await tenant.ask('GET', '/packs')).body);
    expect(data.map(({ key }) => key)).toEqual(['http-api', 'job-queue', 'llm-app', 'system', 'shop']);
    const llm = data.find(({ key }) => key === 'llm-app');
    expect(llm).toMatchObject({ installed: false, enabled: null, updateAvailable: false, notify: null });
    expect(llm?.looksAt[0]).toMatchObject({ event: 'llm.call', measures: { cost: 'in US dollars' } });
    expect(llm?.rules[0]).toMatchObject({
      key: 'llm-error-rate',
      description: expect.stringContaining('error rate of llm.call is above 5 %'),
      why: expect.stringContaining('users notice'),
      ruleId: null,
      enabled: null,
      action: 'create',
    });
    expectProblem(await tenant.ask('GET', '/packs/shoop'), 'not_found', 404);
  });

  test('of one tenant is nothing to another, and viewers only look', async () => {
    const other = await world.tenant('Other');
    await install();
    expect((await other.ask('GET', '/packs/shop')).body).toMatchObject({ installed: false, rules: [{ ruleId: null }, {}, {}] });
    expect((await other.ask('GET', '/rules')).body.data).toEqual([]);
    expectProblem(await other.ask('POST', '/packs/shop/uninstall'), 'not_found', 404);
    expect(await rules()).toHaveLength(3);
    const viewer = await tenant.as('viewer');
    expect((await viewer('GET', '/packs/shop')).body.installed).toBe(true);
    expectProblem(await viewer('POST', '/packs/shop/install'), 'forbidden', 403);
  });

  test('past the bound of rules is refused whole', async () => {
    const small = await openWorld({
      packs: [pack(1)],
      serviceBounds: { rulesPerTenant: 2, rule: { depth: 8, comparisons: 32, maxWindowMs: 2_592_000_000, minEveryMs: 10_000 } },
    });
    try {
      const { ask } = await small.tenant();
      expectProblem(await ask('POST', '/packs/shop/install'), 'bound_exceeded', 422);
      expect([(await ask('GET', '/rules')).body.data, (await ask('GET', '/channels')).body.data]).toEqual([[], []]);
    } finally {
      await small.close();
    }
  });
});
