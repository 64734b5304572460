import { withTenantsSql } from '@tocsin/db';
import { openEventStore } from '@tocsin/events';
import { claimDueSlots, startDispatcher, startEvaluator } from '@tocsin/pipeline';
import { openQueues } from '@tocsin/queue';
import { createLogger, createMetrics, openOutbound } from '@tocsin/runtime';
import { describeQueues, type Received, testQueue, webhookReceiver } from '@tocsin/testkit';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ADMIN_KEY, type Ask, openWorld, type World } from './open-world.ts';

const canary = (name: string): string => `canary-${name}-${randomBytes(9).toString('hex')}`;
const signing = (name: string): string => `whsec_${Buffer.from(canary(name)).toString('base64')}`;

/** A secret may not turn up as it is, nor as a program might have rewritten it. */
const spellings = (secret: string): string[] => {
  const bare = secret.replace(/^(whsec_|Bearer |Basic )/, '');
  return [
    bare,
    encodeURIComponent(bare),
    Buffer.from(bare).toString('base64').replace(/=+$/, '').slice(0, -2),
    Buffer.from(bare).toString('hex'),
  ];
};

describeQueues('secrets', (backend) => {
  const closing: (() => Promise<unknown>)[] = [];
  const log: string[] = [];
  /** What was answered, but for the answers that show a secret once. */
  const answers: string[] = [];
  /** What queues held at any moment that was looked at. */
  const stored: string[] = [];
  let world: World;
  let queue: Awaited<ReturnType<typeof testQueue>>;
  let receiver: Awaited<ReturnType<typeof webhookReceiver>>;

  beforeAll(async () => {
    queue = await testQueue(backend);
    receiver = await webhookReceiver();
    const logger = createLogger('test', 'trace', { write: (line: string) => void log.push(line) });
    const queues = await openQueues({ url: queue.url, logger });
    const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });
    const metrics = createMetrics('test');
    world = await openWorld({ logger, metrics, queues, outbound });
    const { services } = world;
    const events = openEventStore(services);
    const evaluator = startEvaluator({ ...services, source: events.source, histories: events });
    const dispatcher = startDispatcher(services);
    await Promise.all([evaluator.ready(), dispatcher.ready()]);
    closing.push(evaluator.close, dispatcher.close, events.close, world.close, queues.close, outbound.close, receiver.close, queue.close);
  });
  afterAll(async () => {
    for (const close of closing) await close();
  });

  /** As every receiver of ill will would: repeats all that it was sent, in every way it can. */
  const echo = (request: Received): { status: number; headers: Record<string, string>; body: string } => {
    const said = `${request.path} ${JSON.stringify(request.headers)} ${/links\/[\w-]+/.exec(request.body)?.[0] ?? ''}`;
    const status = [500, 400, 302, 429][receiver.requests.length % 4] ?? 500;
    return {
      status,
      headers: { location: `http://127.0.0.1/${encodeURIComponent(said)}`, 'retry-after': said.replace(/[^ -~]/g, ''), 'x-said': said },
      body: said,
    };
  };

  const watched =
    (ask: Ask): Ask =>
    async (...request) => {
      const answer = await ask(...request);
      answers.push(`${JSON.stringify(answer.headers)} ${answer.text}`);
      return answer;
    };

  test('are in no answer, log line, job, metric, board page or row, whatever fails', async () => {
    const secrets: Record<string, string> = { admin: ADMIN_KEY };
    const operator = world.askWith(ADMIN_KEY);
    const { body: tenant } = await operator('POST', '/api/v1/tenants', { name: 'Acme', externalKey: canary('tenant').slice(0, 8) });
    for (const role of ['viewer', 'responder', 'editor', 'admin']) {
      const made = await operator(
        'POST',
        `/api/v1/tenants/${tenant.id}/api-keys`,
        { name: role, role },
        { 'idempotency-key': canary('idem') },
      );
      secrets[`key of ${role}`] = made.body.key;
    }
    const ask = watched(world.askWith(secrets['key of admin'] ?? ''));
    const unwatched = world.askWith(secrets['key of admin'] ?? '');
    receiver.respondWith(echo);

    secrets['first'] = signing('first');
    secrets['second'] = signing('second');
    secrets['bearer'] = `Bearer ${canary('bearer')}`;
    secrets['custom'] = canary('custom');
    secrets['slack'] = canary('slack');
    secrets['gone'] = canary('gone');
    secrets['refused'] = signing('refused');
    const url = `${receiver.url}/in`;
    const ids = [
      await ask('POST', '/api/v1/channels', {
        key: 'hook',
        name: 'Hook',
        kind: 'webhook',
        config: {
          url,
          secret: [secrets['first'], secrets['second']],
          headers: { authorization: secrets['bearer'], 'x-key': secrets['custom'] },
        },
      }),
      await ask('POST', '/api/v1/channels', {
        key: 'slack',
        name: 'Slack',
        kind: 'slack',
        config: { webhookUrl: `${receiver.url}/services/${secrets['slack']}` },
      }),
      await ask('POST', '/api/v1/channels', {
        key: 'gone',
        name: 'Gone',
        kind: 'slack',
        config: { webhookUrl: `http://127.0.0.1:1/${secrets['gone']}` },
      }),
    ].map(({ body }) => String(body.id));
    const made = await unwatched('POST', '/api/v1/channels', { key: 'made', name: 'Made', kind: 'webhook', config: { url } });
    secrets['made by us'] = made.body.config.secret;
    ids.push(made.body.id);
    await ask('POST', '/api/v1/channels', {
      key: 'x',
      name: 'X',
      kind: 'webhook',
      config: { url: 'https://10.0.0.1/', secret: secrets['refused'] },
    });
    await ask('POST', '/api/v1/channels', {
      key: 'x',
      name: 'X',
      kind: 'webhook',
      config: { url, secret: secrets['refused'], extra: secrets['refused'] },
    });
    await ask('POST', '/api/v1/channels', { key: 'hook', name: 'X', kind: 'webhook', config: { url, secret: secrets['refused'] } });
    for (const id of ids) {
      await ask('GET', `/api/v1/channels/${id}`);
      await ask('PATCH', `/api/v1/channels/${id}`, { name: 'Renamed' });
      await ask('POST', `/api/v1/channels/${id}/test`);
    }
    for (const key of Object.values(secrets)) await watched(world.askWith(`${key}x`))('GET', '/api/v1/rules');

    const notify = ['hook', 'slack', 'gone', 'made'].map((channel) => ({ channel }));
    const rule = {
      name: 'Slow',
      condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1 },
      evaluationDelay: '0s',
      notify,
    };
    expect((await ask('POST', '/api/v1/rules', rule)).status).toBe(201);
    await ask('POST', '/api/v1/events', { events: [{ name: 'call', measures: { duration_ms: 9 } }] });
    world.services.db.clock.shiftMs += 61_000;
    await claimDueSlots(world.services);
    await vi.waitFor(
      async () => {
        stored.push(await queue.dump());
        const { body } = await ask('GET', '/api/v1/deliveries');
        const told = (body.data as { kind: string; attempts: number }[]).filter(({ kind }) => kind === 'fired');
        expect(told.filter(({ attempts }) => attempts > 0)).toHaveLength(4);
      },
      { timeout: 45_000, interval: 50 },
    );
    const [token = '', claims = ''] = receiver.requests.flatMap(({ body }) => /(?<=links\/)([\w-]{72})[\w-]{43}/.exec(body) ?? []);
    secrets['link'] = token.slice(claims.length);
    expect(secrets['link']).toHaveLength(43);
    for (const accept of ['text/html', '*/*'])
      for (const tapped of [token, `${token}x`, claims]) {
        await watched(world.askWith(null))('GET', `/links/${tapped}`, undefined, { accept });
        await watched(world.askWith(null))('POST', `/links/${tapped}`, '', { accept, 'content-type': 'application/x-www-form-urlencoded' });
        await watched(world.askWith(null))('PUT', `/links/${tapped}`, undefined, { accept });
      }
    expect((await ask('GET', '/api/v1/alerts')).body.data[0]).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'link:slack' });
    for (const list of ['channels', 'rules', 'alerts', 'deliveries', 'inbox', 'events', 'metrics', `tenants/${tenant.id}/api-keys`]) {
      const { body } = await ask('GET', `/api/v1/${list}`);
      for (const { id } of body.data as { id?: string }[]) if (id !== undefined) await ask('GET', `/api/v1/${list}/${id}`);
    }
    const board = watched(operator);
    for (const name of ['deliveries', 'notifications', 'evaluations', 'maintenance'])
      for (const status of ['latest', 'delayed', 'failed', 'completed'])
        await board('GET', `/admin/queues/api/queues?activeQueue=${name}&status=${status}`);
    await watched(world.askWith(null))('GET', '/metrics');
    await world.app.close();

    const rows = await withTenantsSql(world.services.db, [tenant.id], async (sql) => {
      const tables = await sql<{ name: string }[]>`
        select relname as name from pg_class where relnamespace = 'tocsin'::regnamespace and relkind in ('r', 'p') and not relispartition`;
      return Promise.all(tables.map(({ name }) => sql<{ row: string }[]>`select to_jsonb(t)::text as row from ${sql(name)} t`));
    });
    expect(receiver.requests.some(({ headers }) => headers['authorization'] === secrets['bearer'])).toBe(true);
    expect(receiver.requests.some(({ path }) => path.includes(secrets['slack'] ?? '-'))).toBe(true);
    expect(log.length).toBeGreaterThan(100);
    expect(stored.join()).toContain('deliveries');
    expect(answers.join()).toContain('••••');
    for (const [place, text] of Object.entries({ answers, log, stored, rows: [JSON.stringify(rows)] })) {
      const whole = text.join('\n');
      for (const [name, secret] of Object.entries(secrets))
        for (const spelling of spellings(secret))
          expect(
            whole.includes(spelling),
            `${name} in ${place}: …${whole.slice(Math.max(0, whole.indexOf(spelling) - 300), whole.indexOf(spelling))}`,
          ).toBe(false);
    }
  });
});
