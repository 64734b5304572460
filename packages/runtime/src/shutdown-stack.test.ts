import { describe, expect, test } from 'vitest';
import { createLogger } from './logger.ts';
import { shutdownStack } from './shutdown-stack.ts';

const stack = () => shutdownStack(createLogger('test', 'silent'));

describe('the shutdown stack', () => {
  test('ends what was started last first, one at a time', async () => {
    const order: string[] = [];
    const shutdown = stack();
    for (const name of ['database', 'queues', 'server']) {
      shutdown.defer(name, async () => {
        order.push(`${name} ends`);
        await Promise.resolve();
        order.push(`${name} ended`);
      });
    }
    expect(await shutdown.run(1_000)).toBe(true);
    expect(order).toEqual(['server ends', 'server ended', 'queues ends', 'queues ended', 'database ends', 'database ended']);
  });

  test('goes on past an end that fails, in either way, and says so', async () => {
    const ended: string[] = [];
    const shutdown = stack();
    shutdown.defer('first', () => void ended.push('first'));
    shutdown.defer('rejects', () => Promise.reject(new Error('no')));
    shutdown.defer('throws', () => {
      throw new Error('no');
    });
    expect(await shutdown.run(1_000)).toBe(false);
    expect(ended).toEqual(['first']);
  });

  test('goes on past an end that hangs when the deadline has passed', async () => {
    const ended: string[] = [];
    const shutdown = stack();
    shutdown.defer('first', () => void ended.push('first'));
    shutdown.defer('hangs', () => new Promise(() => undefined));
    shutdown.defer('hangs too', () => new Promise(() => undefined));
    const startedAt = performance.now();
    expect(await shutdown.run(100)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(ended).toEqual(['first']);
  });

  test('runs once, however often it is asked', async () => {
    let ends = 0;
    const shutdown = stack();
    shutdown.defer('it', () => void (ends += 1));
    await Promise.all([shutdown.run(100), shutdown.run(100)]);
    await shutdown.run(100);
    expect(ends).toBe(1);
  });
});
