import { expect, test } from 'vitest';
import { SecretBoxError, secretBox } from './secret-box.ts';

const box = secretBox('a key text of at least thirty-two characters');
const place = { tenantId: 't-1', table: 'channels', rowId: 'c-1', column: 'secrets' };

test.each(['', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'grüezi 🔔', 'x'.repeat(100_000)])(
  'what is sealed opens again where it was sealed',
  (plain) => {
    expect(box.open(box.seal(plain, place), place)).toBe(plain);
  },
);

test('the same secret never looks the same twice, and its text is nowhere in it', () => {
  const seals = Array.from({ length: 100 }, () => box.seal('hunter2-hunter2', place).toString('hex'));
  expect(new Set(seals).size).toBe(100);
  expect(box.seal('hunter2-hunter2', place).includes('hunter2')).toBe(false);
});

test.each([{ tenantId: 't-2' }, { table: 'sources' }, { rowId: 'c-2' }, { column: 'config' }])(
  'a seal moved to %j does not open',
  (change) => {
    const sealed = box.seal('secret', place);
    expect(() => box.open(sealed, { ...place, ...change })).toThrow(SecretBoxError);
  },
);

test('places whose parts run together differently are different places', () => {
  const sealed = box.seal('secret', { ...place, table: 'ab', rowId: 'c' });
  expect(() => box.open(sealed, { ...place, table: 'a', rowId: 'bc' })).toThrow('altered, or moved');
});

test('another key is told from an altered value', () => {
  const sealed = box.seal('secret', place);
  expect(() => secretBox('another key text of thirty-two characters!').open(sealed, place)).toThrow('another key than TOCSIN_SECRET_KEY');
  expect(secretBox('a key text of at least thirty-two characters').open(sealed, place)).toBe('secret');
});

test('no byte may change, go or come', () => {
  const sealed = box.seal('secret', place);
  for (let index = 0; index < sealed.length; index += 1) {
    const altered = Buffer.from(sealed);
    altered[index] = (altered[index] ?? 0) ^ 1;
    expect(() => box.open(altered, place)).toThrow(SecretBoxError);
    expect(() => box.open(sealed.subarray(0, index), place)).toThrow(SecretBoxError);
  }
  expect(() => box.open(Buffer.concat([sealed, Buffer.of(0)]), place)).toThrow(SecretBoxError);
});

test('a value read from a database as a plain Uint8Array opens', () => {
  const sealed = box.seal('secret', place);
  const padded = new Uint8Array([0, 0, ...sealed, 0]);
  expect(box.open(padded.subarray(2, -1), place)).toBe('secret');
});

test('what is signed is the same in every process of an installation, and in no other', () => {
  const bytes = Buffer.from('claims');
  const again = secretBox('a key text of at least thirty-two characters');
  expect(again.sign('alert links', bytes)).toEqual(box.sign('alert links', bytes));
  expect(secretBox('another text of at least thirty-two characters').sign('alert links', bytes)).not.toEqual(
    box.sign('alert links', bytes),
  );
  expect(box.sign('alert links', Buffer.from('Claims'))).not.toEqual(box.sign('alert links', bytes));
});
