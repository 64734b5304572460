import { describe, expect, it } from 'vitest';
import { isRetryable, sqlState, tookTooLong } from './sql-state.ts';

const coded = (code: string, cause?: unknown): Error => Object.assign(new Error(code, { cause }), { code });

describe('sqlState', () => {
  it('finds the code under the wrappings of drizzle and of ours', () => {
    expect(sqlState(new Error('failed query', { cause: new Error('again', { cause: coded('23505') }) }))).toBe('23505');
  });

  it.each(['EPIPE', 'ECONNREFUSED', 'CONNECT_TIMEOUT'])('does not take %s for one', (code) => {
    expect(sqlState(coded(code))).toBeNull();
  });

  it.each([null, undefined, 'text', 7, {}, new Error('plain')])('is null for %s', (error) => {
    expect(sqlState(error)).toBeNull();
  });

  it('ends on an error that causes itself', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(sqlState(loop)).toBeNull();
  });
});

describe('isRetryable', () => {
  it.each([
    '08006',
    '08P01',
    '57P01',
    '57P02',
    '57P03',
    '40001',
    '40P01',
    '53300',
    '53100',
    '55P03',
    '25006',
    'ECONNREFUSED',
    'EPIPE',
    'CONNECTION_CLOSED',
  ])('says yes to %s', (code) => {
    expect(isRetryable(new Error('wrapped', { cause: coded(code) }))).toBe(true);
  });

  it.each(['23505', '23503', '42501', '42P01', '22P02', '57014', 'P0001', 'ERR_INVALID_ARG_TYPE'])('says no to %s', (code) => {
    expect(isRetryable(coded(code))).toBe(false);
  });

  it('says yes to a server that hung up on pg, which gives no code', () => {
    expect(isRetryable(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isRetryable(new Error('something else'))).toBe(false);
  });
});

describe('tookTooLong', () => {
  it('knows a statement that was ended for its time, which is not simply tried again', () => {
    expect(tookTooLong(new Error('failed query', { cause: coded('57014') }))).toBe(true);
    expect(tookTooLong(coded('57P01'))).toBe(false);
    expect(isRetryable(coded('57014'))).toBe(false);
  });
});
