import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, loadConfig } from './load-config.ts';
import * as variables from './variables.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const { databaseUrl, queueUrl, secretKey, port, host, publicUrl, allowHttp, allowCidrs, allowPorts, logLevel } = variables;
const schema = z.object({ databaseUrl, queueUrl, secretKey, port, host, publicUrl, allowHttp, allowCidrs, allowPorts, logLevel });
const good = {
  TOCSIN_DATABASE_URL: 'postgres://tocsin_app:pw@db/tocsin',
  TOCSIN_QUEUE_URL: 'redis://cache:6379/0',
  TOCSIN_SECRET_KEY: 'x'.repeat(32),
  TOCSIN_PUBLIC_URL: 'https://alerts.example.com/',
};
const problemsOf = (env: Record<string, string | undefined>): Record<string, string> => {
  try {
    loadConfig(schema, env);
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
};

describe('the environment of a process', () => {
  test('what is given is read, what has a default may be left out', () => {
    expect(loadConfig(schema, good)).toEqual({
      databaseUrl: good.TOCSIN_DATABASE_URL,
      queueUrl: good.TOCSIN_QUEUE_URL,
      secretKey: good.TOCSIN_SECRET_KEY,
      publicUrl: 'https://alerts.example.com',
      port: 8_080,
      host: '127.0.0.1',
      allowHttp: false,
      allowCidrs: [],
      allowPorts: [80, 443, 8_443],
      logLevel: 'info',
    });
  });

  test('everything set is understood', () => {
    const env = {
      ...good,
      TOCSIN_PORT: '0',
      TOCSIN_HOST: '0.0.0.0',
      TOCSIN_ALLOW_HTTP: 'true',
      TOCSIN_ALLOW_CIDRS: '10.0.0.0/8, fd00::/8',
      TOCSIN_ALLOW_PORTS: '443,8080',
      TOCSIN_LOG_LEVEL: 'debug',
    };
    expect(loadConfig(schema, env)).toMatchObject({
      port: 0,
      host: '0.0.0.0',
      allowHttp: true,
      allowCidrs: ['10.0.0.0/8', 'fd00::/8'],
      allowPorts: [443, 8_080],
      logLevel: 'debug',
    });
  });

  test('every missing variable is named, an empty one is missing', () => {
    expect(problemsOf({ ...good, TOCSIN_QUEUE_URL: '', TOCSIN_DATABASE_URL: undefined })).toEqual({
      TOCSIN_DATABASE_URL: 'is missing',
      TOCSIN_QUEUE_URL: 'is missing',
    });
    expect(() => loadConfig(schema, { ...good, TOCSIN_SECRET_KEY: '' })).toThrow(/^TOCSIN_SECRET_KEY is missing$/);
  });

  test.each([
    ['TOCSIN_DATABASE_URL', 'mysql://hunter2@db/x'],
    ['TOCSIN_DATABASE_URL', 'hunter2'],
    ['TOCSIN_QUEUE_URL', 'amqp://hunter2'],
    ['TOCSIN_SECRET_KEY', 'hunter2'],
    ['TOCSIN_PUBLIC_URL', 'hunter2.example.com'],
    ['TOCSIN_PORT', '65536'],
    ['TOCSIN_PORT', '80 hunter2'],
    ['TOCSIN_PORT', '-1'],
    ['TOCSIN_ALLOW_HTTP', 'hunter2'],
    ['TOCSIN_ALLOW_CIDRS', '10.0.0.0/33'],
    ['TOCSIN_ALLOW_CIDRS', '10.0.0.1,hunter2'],
    ['TOCSIN_ALLOW_PORTS', '443,hunter2'],
    ['TOCSIN_LOG_LEVEL', 'hunter2'],
  ])('%s=%s is named and its value is not repeated', (variable, value) => {
    const problems = problemsOf({ ...good, [variable]: value });
    expect(Object.keys(problems)).toEqual([variable]);
    expect(problems[variable]).toMatch(/^is not valid: /);
    expect(problems[variable]).not.toContain('hunter2');
  });

  test('a secret may be a file’s content; the line break at its end is not part of it', () => {
    const env = { ...good, TOCSIN_SECRET_KEY: undefined, TOCSIN_SECRET_KEY_FILE: file('key', `${'s'.repeat(40)}\n`) };
    expect(loadConfig(schema, env).secretKey).toBe('s'.repeat(40));
  });

  test('a file that is missing, empty, or beside the variable itself is a problem with a name', () => {
    const unset = { ...good, TOCSIN_SECRET_KEY: undefined };
    expect(problemsOf({ ...unset, TOCSIN_SECRET_KEY_FILE: join(folder, 'nowhere') })).toMatchObject({
      TOCSIN_SECRET_KEY_FILE: 'cannot be read (ENOENT)',
    });
    expect(problemsOf({ ...unset, TOCSIN_SECRET_KEY_FILE: file('empty', '\n') })).toEqual({ TOCSIN_SECRET_KEY: 'is missing' });
    expect(problemsOf({ ...good, TOCSIN_SECRET_KEY_FILE: file('both', 'x') })).toEqual({
      TOCSIN_SECRET_KEY: 'and TOCSIN_SECRET_KEY_FILE are both set',
    });
  });
});
