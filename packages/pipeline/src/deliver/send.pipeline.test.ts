import { newId, type SqlTx } from '@tocsin/db';
import { describeQueues } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import { planTriggers } from '../dispatch/plan-triggers.ts';
import { readLink } from './alert-link.ts';
import { openAttempts } from './attempts.ts';
import { openLanes } from './lanes.ts';
import { testChannel } from './test-channel.ts';

describeQueues('sending', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, fire, poke, settled, only, key } = scene;

  test('a message to the inbox is there once, however often its delivery is sent', async () => {
    const channel = key('inbox');
    await scene.world().channel(channel, 'inbox');
    const { alertId } = await fire([channel]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    await scene
      .world()
      .inTenant(
        (sql) => sql`update deliveries set status = 'pending', finished_at = null, next_attempt_at = tocsin_now() where id = ${row.id}`,
      );
    await poke(row.id);
    await only(alertId, ({ status, attempts }) => status === 'delivered' && attempts === 2);
    const messages = await scene.world().inTenant((sql) => sql`select title, body, alert_id from inbox where delivery_id = ${row.id}`);
    expect(messages).toMatchObject([{ title: 'Critical · Checkout latency', alert_id: alertId, body: { kind: 'fired' } }]);
  });

  test('Slack is told through its own library, with the bytes that were frozen, but for the signatures of links, which nobody can read there', async () => {
    const channel = key('slack');
    await scene.world().channel(channel, 'slack', { webhookUrl: `${scene.receiver().url}/services/T0/B0/s3cretpath` });
    const { alertId } = await fire([channel]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    const [request] = scene.receiver().requests;
    expect([scene.receiver().requests.length, request?.path]).toEqual([1, '/services/T0/B0/s3cretpath']);
    const LINK = /\/links\/([\w-]{72})([\w-]{43})/g;
    const withoutSignatures = (body = ''): string => body.replace(LINK, '/links/$1');
    const { handle, ...message } = JSON.parse(withoutSignatures(row.body ?? '')) as { handle: unknown };
    expect([withoutSignatures(request?.body), handle]).toEqual([JSON.stringify(message), ['acknowledge', 'silence']]);
    const { secretBox: box } = scene.world().deps;
    const tokens = [...(request?.body ?? '').matchAll(LINK)].map(([, claims, signature]) => `${claims}${signature}`);
    const to = { tenantId: scene.world().tenantId, alertId };
    expect(tokens.map((token) => readLink(box, token))).toMatchObject([
      { ...to, action: 'acknowledge' },
      { ...to, action: 'silence' },
    ]);
    expect([...(row.body ?? '').matchAll(LINK)].map(([, claims, signature]) => readLink(box, `${claims}${signature}`))).toEqual([
      null,
      null,
    ]);
    expect(JSON.parse(row.body ?? '')).toMatchObject({ blocks: expect.any(Array), text: expect.stringContaining('Checkout latency') });
  });

  test('secrets are in no row but the sealed one and in no log line, even when the receiver answers with them', async () => {
    const [path, header, signing] = [
      's3cret-path-canary',
      's3cret-header-canary',
      Buffer.from('s3cret-signing-canary-24').toString('base64'),
    ] as const;
    scene.receiver().respondWith((request) => ({
      status: 500,
      body: `${JSON.stringify(request.headers)} ${request.path.includes(path) ? path : `${header} ${signing}`}`,
    }));
    const hookKey = await hook({ headers: { authorization: `Bearer ${header}` }, secret: `whsec_${signing}` });
    const slackKey = key('slack');
    const slackId = await scene.world().channel(slackKey, 'slack', { webhookUrl: `${scene.receiver().url}/services/${path}` });
    const { alertId } = await fire([hookKey, slackKey]);
    const rows = await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'retrying'));
    await testChannel(scene.world().deps, { tenantId: scene.world().tenantId, channelId: slackId });

    expect(
      scene
        .receiver()
        .requests.map((request) => request.headers['authorization'] ?? request.path)
        .sort(),
    ).toEqual([`/services/${path}`, `/services/${path}`, `Bearer ${header}`]);
    const attempts = await scene.world().attempts(rows[0]?.id ?? '');
    expect(attempts[0]?.responseExcerpt).toContain('••••');
    const tables = ['deliveries', 'delivery_attempts', 'channels', 'alert_events', 'audit_events', 'inbox', 'triggers', 'alerts'];
    const written = [scene.world().log.join('')];
    for (const table of tables)
      written.push(JSON.stringify(await scene.world().inTenant((sql) => sql`select to_jsonb(t) - 'secrets' as row from ${sql(table)} t`)));
    for (const word of [path, header, signing]) expect(written.join('\n')).not.toContain(word);
  });

  test('a channel whose secrets cannot be opened is dead by name, and sends nothing', async () => {
    const channel = await hook();
    await scene
      .world()
      .inTenant(
        (sql) =>
          sql`update channels set secrets = (select secrets from channels other where other.key <> ${channel} and other.kind = 'webhook' limit 1) where key = ${channel}`,
      );
    const { alertId } = await fire([channel]);
    expect(await only(alertId, ({ status }) => status === 'dead')).toMatchObject({ reason: 'secrets_unreadable' });
    expect(scene.receiver().requests).toHaveLength(0);
  });

  test('mail that this installation is not set up to send is suppressed and logged, and its end is told to nobody', async () => {
    const channel = key('mail');
    await scene.world().channel(channel, 'email', { to: ['ops@example.com'] });
    const { ruleId, alertId } = await fire([channel]);
    const row = await only(alertId, ({ status }) => status === 'suppressed');
    expect(row).toMatchObject({ reason: 'smtp_not_configured', attempts: 1 });
    expect(await scene.world().attempts(row.id)).toMatchObject([{ number: 1, outcome: 'suppressed', reason: 'smtp_not_configured' }]);
    expect(await scene.world().timeline(alertId)).toMatchObject([{ kind: 'delivery_suppressed', reason: 'smtp_not_configured' }]);
    expect(scene.world().log.join('')).toContain('fired → suppressed');
    await scene.hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    const rows = await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'suppressed'));
    expect(rows.map(({ reason }) => reason).sort()).toEqual(['never_told', 'smtp_not_configured']);
  });

  test('a bot of Slack finds its first message about an alert again, and nobody else does', async () => {
    const { deps, tenantId } = scene.world();
    const calls: { url: string; body: Record<string, unknown> }[] = [];
    const answer = { status: 200, headers: {}, body: JSON.stringify({ ok: true, channel: 'C0123456789', ts: '1.5' }), truncated: false };
    const own = {
      ...deps,
      outbound: {
        ...deps.outbound,
        request: async ({ url, body = '' }: { url: string; body?: string }) => {
          calls.push({ url: url.replace('https://slack.com/api/', ''), body: JSON.parse(body) as Record<string, unknown> });
          return answer;
        },
      },
      lanes: openLanes({ total: 9, perTenant: 9, perChannel: 9, inLine: 9 }, Date.now),
      giveUp: new AbortController().signal,
    };
    const channel = key('bot');
    await scene.world().channel(channel, 'slack', { botToken: ['xoxb', '1234567890'].join('-'), channel: '#alerts' });
    const ruleId = await scene.world().rule([channel]);
    const attempts = openAttempts(own);
    const tell = async (alertId: string, kind: 'fired' | 'resolved'): Promise<void> => {
      const { triggerId } = await scene.world().trigger(ruleId, alertId, kind);
      const { prepared, toSend } = await planTriggers(own, [{ tenantId, triggerId }]);
      await Promise.all(prepared.map((each) => attempts.send(each)));
      for (const ref of toSend) {
        const begun = await attempts.begin(ref);
        if (begun.kind === 'sending') await begun.attempted;
      }
    };
    const [first, second] = [await scene.world().alert(ruleId), await scene.world().alert(await scene.world().rule([channel]))];
    await tell(first, 'fired');
    await tell(second, 'fired');
    await tell(first, 'resolved');
    expect(calls.map(({ url, body }) => [url, body['ts'] ?? body['thread_ts'] ?? null])).toEqual([
      ['chat.postMessage', null],
      ['chat.postMessage', null],
      ['chat.update', '1.5'],
      ['chat.postMessage', '1.5'],
    ]);
    const threads = (sql: SqlTx) => sql`select alert_id from channel_threads where alert_id in (${first}, ${second})`;
    expect(await scene.world().inTenant(threads)).toHaveLength(2);
    expect(await (await scene.world().neighbour()).inTenant(threads)).toHaveLength(0);
    await scene.world().inTenant((sql) => sql`delete from alerts where id = ${first}`);
    expect(await scene.world().inTenant(threads)).toMatchObject([{ alert_id: second }]);
  });

  test('the system log is told in a line of its own, in the tenant’s name', async () => {
    const channel = key('log');
    await scene.world().channel(channel, 'log');
    const { alertId } = await fire([channel]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    const lines = scene
      .world()
      .log.flatMap((text) => text.split('\n'))
      .filter((line) => line.includes(row.id) && line.includes('alert: Critical'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { tenantId: scene.world().tenantId, channel, alertId, told: 'fired', severity: 'critical', value: 2_000 },
    ]);
  });

  test('a test goes the way of real messages, once, and says how it went', async () => {
    const channelKey = key('hook');
    const channelId = await scene.world().channel(channelKey, 'webhook', { url: scene.receiver().url });
    const ref = { tenantId: scene.world().tenantId, channelId };
    expect(await testChannel(scene.world().deps, ref)).toMatchObject({
      outcome: 'delivered',
      statusCode: 200,
      reason: null,
      durationMs: expect.any(Number),
    });
    expect(JSON.parse(scene.receiver().requests[0]?.body ?? '')).toMatchObject({ type: 'test' });

    scene.receiver().respondWith(() => ({ status: 500, body: 'out of order' }));
    await scene.world().inTenant((sql) => sql`update channels set enabled = false where id = ${channelId}`);
    const failed = await testChannel(scene.world().deps, ref);
    expect(failed).toMatchObject({ outcome: 'retry', statusCode: 500, reason: 'http_500', responseExcerpt: 'out of order' });
    const rows = await scene
      .world()
      .inTenant(
        (sql) => sql`select kind, status, reason, attempts, trigger_id from deliveries where channel_id = ${channelId} order by created_at`,
      );
    expect(rows).toEqual([
      { kind: 'test', status: 'delivered', reason: null, attempts: 1, trigger_id: null },
      { kind: 'test', status: 'dead', reason: 'http_500', attempts: 1, trigger_id: null },
    ]);
    expect(await testChannel(scene.world().deps, { ...ref, channelId: newId() })).toBeNull();
  });
});
