import { placeOfSecrets } from '@tocsin/db';
import { describeQueues } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import { dropExchangedSecrets } from './drop-former-secrets.ts';

const [FRESH, OLD] = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'];

describeQueues('a secret that was exchanged', (backend) => {
  const scene = deliveryScene(backend);

  test('is out of the sealed secrets once its overlap is over, and not before', async () => {
    const { world } = scene;
    const { tenantId, deps } = world();
    const channelId = await world().channel(scene.key('hook'), 'webhook', { url: scene.receiver().url, secret: [FRESH, OLD] });
    await world().inTenant(
      (sql) => sql`update channels set former_secrets_until = tocsin_now() + interval '1 hour' where id = ${channelId}`,
    );
    const sealed = async (): Promise<{ secret: unknown; until: number | null }> => {
      const [row] = await world().inTenant(
        (sql) =>
          sql<
            { secrets: Buffer; until: number | null }[]
          >`select secrets, former_secrets_until as until from channels where id = ${channelId}`,
      );
      const opened = JSON.parse(deps.secretBox.open(row!.secrets, placeOfSecrets(tenantId, channelId))) as { secret: unknown };
      return { secret: opened.secret, until: row!.until };
    };
    expect(await dropExchangedSecrets(deps)).toBe(0);
    expect(await sealed()).toEqual({ secret: [FRESH, OLD], until: expect.any(Number) });
    world().db.clock.shiftMs += 3_600_001;
    expect(await dropExchangedSecrets(deps)).toBe(1);
    expect(await sealed()).toEqual({ secret: FRESH, until: null });
    expect(await dropExchangedSecrets(deps)).toBe(0);
  });
});
