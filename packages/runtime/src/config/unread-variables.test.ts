import { expect, test } from 'vitest';
import { unreadVariables } from './unread-variables.ts';

test.each([
  ['TOCSIN_PROT', 'Did you mean TOCSIN_PORT?'],
  ['tocsin_port', 'Did you mean TOCSIN_PORT?'],
  ['TOCSIN_DATADIR', 'Did you mean TOCSIN_DATA_DIR?'],
  ['TOCSIN_DB_URL', 'docs/operating.md lists what is read.'],
  ['TOCSIN_SECRET_KEYFILE', 'Did you mean TOCSIN_SECRET_KEY_FILE?'],
  ['TOCSIN_RETENTON', 'Did you mean TOCSIN_RETENTION?'],
  ['TOCSIN_SMTP_SERVER', 'docs/operating.md lists what is read.'],
])('%s is told of, with the name that was most likely meant, and without its value', (name, hint) => {
  expect(unreadVariables({ [name]: 'hunter2' })).toEqual([`${name} is set, but nothing reads it. ${hint}`]);
});

test('what is read by some process, is empty or belongs to tests is not told of', () => {
  const env = {
    TOCSIN_DATABASE_URL: 'x',
    TOCSIN_SECRET_KEY_FILE: 'x',
    TOCSIN_SCHEDULER_SECRET: 'x',
    TOCSIN_PROT: '',
    TOCSIN_TEST_SEED: 'x',
  };
  expect(unreadVariables({ ...env, HOME: '/root', PATH: '/bin' })).toEqual([]);
});
