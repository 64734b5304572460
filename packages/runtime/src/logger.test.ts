import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLogger, describeError, withoutUrls } from './logger.ts';

const written = (write: (logger: ReturnType<typeof createLogger>) => void): string => {
  let text = '';
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  write(createLogger('test', 'debug', sink));
  return text;
};

describe('the log', () => {
  test('is one JSON object a line, with its level in words and the time in RFC 3339', () => {
    const line = JSON.parse(written((log) => log.info({ tenantId: 't' }, 'hello'))) as Record<string, unknown>;
    expect(line).toMatchObject({ level: 'info', name: 'test', tenantId: 't', msg: 'hello' });
    expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test.each(['url', 'headers', 'secret', 'authorization', 'password', 'token', 'apiKey'])(
    'never shows a field named %s, at the top or two levels down',
    (field) => {
      const text = written((log) => log.info({ [field]: 'hunter2', channel: { [field]: 'hunter2', config: { [field]: 'hunter2' } } }, 'x'));
      expect(text).not.toContain('hunter2');
      expect(text).toContain('[redacted]');
    },
  );

  test('never shows a URL in an error, its stack or its causes', () => {
    const cause = new Error('GET https://hooks.slack.com/services/T0/B0/hunter2 failed');
    const text = written((log) => log.error({ err: new Error('sending to http://user:hunter2@host/x', { cause }) }, 'x'));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('[url]');
  });

  test('shows of an error its name, words, code and causes, and nothing that a driver hung on it', () => {
    const error = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: 'Key (name)=(hunter2) already exists.',
      parameters: ['hunter2'],
    });
    expect(describeError(error)).toMatchObject({ type: 'Error', message: 'duplicate key', code: '23505' });
    expect(JSON.stringify(describeError(new AggregateError([error], 'all')))).not.toContain('hunter2');
    expect(describeError('just words')).toEqual({ type: 'string', message: 'just words' });
  });

  test('shows of a failed query its text and not what it was given', () => {
    const given = 'insert into rules values ($1)';
    const error = Object.assign(new Error(`Failed query: ${given}\nparams: hunter2`), { query: given, params: ['hunter2'] });
    const text = written((log) => log.error({ err: new AggregateError([new Error('again', { cause: error })], 'all') }, 'x'));
    expect(text).toContain(given);
    expect(text).not.toContain('hunter2');
  });

  test('an error that causes itself ends', () => {
    const error = new Error('round');
    error.cause = error;
    expect(JSON.stringify(describeError(error)).length).toBeLessThan(20_000);
  });

  test('withoutUrls leaves the rest of the words', () => {
    expect(withoutUrls('to postgres://a:b@c/d, then https://x.y/z?k=1 again')).toBe('to [url] then [url] again');
  });
});
