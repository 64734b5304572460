import { expect, test } from 'vitest';
import { forPeople } from './log-for-people.ts';
import { createLogger } from './logger.ts';

const shown: string[] = [];
const logger = createLogger('standalone', 'info', forPeople({ write: (text) => shown.push(text) }));
const last = (): string => shown.at(-1) ?? '';

test('a terminal shows a line as a sentence with its fields', () => {
  logger.warn({ skipped: 3, tenantId: 'acme', list: [1, 2] }, 'slots were missed and are on record as skipped');
  expect(last()).toMatch(
    /^\d\d:\d\d:\d\d {2}warn {3}slots were missed and are on record as skipped {2}skipped=3 {2}tenantId=acme {2}list=\[1,2\]\n$/,
  );
});

test('of an error it shows the message, and the stack where the process ends of it', () => {
  logger.error({ err: new Error('connect ECONNREFUSED') }, 'claim failed; trying again');
  expect(last()).toMatch(/error {2}claim failed; trying again: connect ECONNREFUSED\n$/);
  logger.fatal({ err: new Error('a bug') }, 'uncaught error');
  expect(last()).toMatch(/fatal {2}uncaught error: Error: a bug\n\s+at /);
});

test('what the log cuts out is not shown either', () => {
  logger.error({ url: 'https://hooks.example.com/hunter2', err: new Error('POST https://hooks.example.com/hunter2 failed') }, 'not sent');
  expect(last()).toContain('POST [url] failed');
  expect(last()).not.toContain('hunter2');
});
