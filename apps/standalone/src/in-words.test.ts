import { CannotStart } from '@tocsin/runtime';
import { expect, test } from 'vitest';
import { inWords } from './in-words.ts';

const error = (message: string, extra: object = {}, cause?: Error): Error => Object.assign(new Error(message, { cause }), extra);

test.each([
  ['of this process', error('ENOSPC: no space left on device, write', { code: 'ENOSPC' })],
  ['of PostgreSQL', error('could not extend file "base/5/1255"', { code: '53100' })],
  [
    'of initdb',
    error('could not make the database in /data: FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device'),
  ],
  ['of a lock', error('database or disk is full', { errcode: 13 })],
  ['further down', error('Failed query', {}, error('no room', { code: '53100' }))],
])('a full disk is told with its folder and what to do: %s', (_, cause) => {
  const told = inWords(cause, '/home/me/.tocsin');
  expect(told).toBeInstanceOf(CannotStart);
  expect(String(told)).toMatch(/The disk that holds \/home\/me\/\.tocsin is full\. Free some space/);
});

test('a database of another PostgreSQL is told with both versions', () => {
  const log = 'DETAIL:  The data directory was initialized by PostgreSQL version 17, which is not compatible with this version 18.4.';
  expect(
    String(inWords(error(`PostgreSQL did not start: FATAL:  database files are incompatible with server\n${log}`), '/data')),
  ).toContain('The database in /data is one of PostgreSQL 17, and this Tocsin brings 18');
});

test('what nobody expected stays what it is', () => {
  const bug = error('undefined is not a function');
  expect(inWords(bug, '/data')).toBe(bug);
});
