import { Rule } from '@tocsin/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aRule, type Actor, aWebhook, expectProblem, openWorld, type World } from './open-world.ts';

let world: World;
let tenant: Actor;

beforeAll(async () => {
  world = await openWorld();
  tenant = await world.tenant();
});
afterAll(() => world.close());

const UNKNOWN = '0198c0de-0000-7000-8000-000000000000';

describe('rules', () => {
  test('a rule comes back in canonical words with its sentence, state and health', async () => {
    const made = await tenant.ask('POST', '/rules', aRule({ name: 'Checkout latency' }));
    expect(made.status, made.text).toBe(201);
    expect(Rule.parse(made.body)).toMatchObject({
      key: 'checkout-latency', severity: 'warning', state: 'ok', health: 'ok', triggerCount: 0, lastTriggeredAt: null, enabled: true, version: 1,
    });
    expect(made.body.description).toMatch(/latency/i);
    expect(made.headers['etag']).toBe('"1"');
    expect((await tenant.ask('GET', `/rules/${made.body.id}`)).body).toEqual(made.body);
    expect((await tenant.ask('GET', '/rules/by-key/checkout-latency')).body).toEqual(made.body);
  });
});
