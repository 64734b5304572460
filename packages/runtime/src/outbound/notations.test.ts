import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openOutbound } from './open-outbound.ts';

/** Networks of the IANA special-purpose registries for IPv4, and what clouds keep for themselves. */
const NOT_PUBLIC = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32`.split(/\s+/);

const numberOf = (dotted: string): number => dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const bytesOf = (address: number): number[] => [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256);
const hex = (number: number): string => number.toString(16);
const groups = (address: number): string => `${hex(Math.floor(address / 65_536))}:${hex(address % 65_536)}`;

const insideOf = (cidr: string): fc.Arbitrary<number> => {
  const [network = '', bits = '32'] = cidr.split('/');
  return fc.integer({ min: 0, max: 2 ** (32 - Number(bits)) - 1 }).map((offset) => numberOf(network) + offset);
};

/** Ways to write one address that some parser, here or behind a proxy, reads as that address. */
const WAYS: Readonly<Record<string, (address: number) => string>> = {
  dotted: (address) => bytesOf(address).join('.'),
  'with a last dot': (address) => `${bytesOf(address).join('.')}.`,
  'one number': String,
  'one hexadecimal number': (address) => `0x${hex(address)}`,
  'one octal number': (address) => `0${address.toString(8)}`,
  'hexadecimal parts': (address) =>
    bytesOf(address)
      .map((byte) => `0x${hex(byte)}`)
      .join('.'),
  'octal parts': (address) =>
    bytesOf(address)
      .map((byte) => `0${byte.toString(8)}`)
      .join('.'),
  'octal parts with zeros before': (address) =>
    bytesOf(address)
      .map((byte) => `000${byte.toString(8)}`)
      .join('.'),
  'two parts': (address) => `${bytesOf(address)[0]}.${address % 2 ** 24}`,
  'three parts': (address) => `${bytesOf(address).slice(0, 2).join('.')}.${address % 65_536}`,
  'digits of another script': (address) =>
    bytesOf(address)
      .join('.')
      .replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
  'ideographic dots': (address) => bytesOf(address).join('。'),
  'half-width dots': (address) => bytesOf(address).join('｡'),
  'encoded dots': (address) => bytesOf(address).join('%2e'),
  'encoded digits': (address) =>
    bytesOf(address)
      .join('.')
      .replace(/\d/g, (digit) => `%3${digit}`),
  'mapped into IPv6': (address) => `[::ffff:${bytesOf(address).join('.')}]`,
  'mapped into IPv6 in groups': (address) => `[0:0:0:0:0:ffff:${groups(address)}]`,
  'compatible IPv6': (address) => `[::${bytesOf(address).join('.')}]`,
  'translated (SIIT)': (address) => `[::ffff:0:${groups(address)}]`,
  NAT64: (address) => `[64:ff9b::${groups(address)}]`,
  'local NAT64': (address) => `[64:ff9b:1::${groups(address)}]`,
  '6to4': (address) => `[2002:${groups(address)}::1]`,
  'Teredo server': (address) => `[2001:0:${groups(address)}:0:0:808:808]`,
  'Teredo client': (address) => `[2001:0:808:808:0:0:${groups(2 ** 32 - 1 - address)}]`,
};

const door = openOutbound({ allowHttp: true, allowCidrs: [], resolve: async () => Promise.reject(new Error('nothing here has a name')) });

describe.each(Object.entries(WAYS))('an address that is not public, written as %s', (_way, write) => {
  test('is refused at saving and at sending, whichever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...NOT_PUBLIC).chain(insideOf), fc.constantFrom('http', 'https'), async (address, scheme) => {
        const url = `${scheme}://${write(address)}/latest`;
        expect(await door.checkUrl(url), url).toMatchObject({ ok: false });
        await expect(door.request({ url }), url).rejects.toMatchObject({
          code: expect.stringMatching(/^(url_not_allowed|blocked_address)$/),
        });
      }),
      { numRuns: 60 },
    );
  });
});

test.each([
  'ⓛocalhost',
  'ＬＯＣＡＬＨＯＳＴ',
  'localhost。',
  'lo\u00adcalhost',
  'x.localhost.',
  'ｍetadata.google.internal',
  'metadata.google.internal.',
])('a name of this machine is one however it is written: %s', async (host) => {
  expect(await door.checkUrl(`http://${host}/`)).toMatchObject({ ok: false });
});

test('IPv6 beyond what is handed out, and its special networks, are refused whichever address it is', async () => {
  const group = fc.integer({ min: 0, max: 65_535 }).map(hex);
  const rest = fc.array(group, { minLength: 6, maxLength: 6 });
  const starts = fc.oneof(
    fc.integer({ min: 0, max: 0x1fff }).map((first) => `${hex(first)}:0`),
    fc.integer({ min: 0x4000, max: 0xffff }).map((first) => `${hex(first)}:0`),
    fc.constantFrom('2001:0', '2001:db8', '2001:2', '2001:20', '2001:2f', '2002:a00', '3fff:0'),
  );
  await fc.assert(
    fc.asyncProperty(starts, rest, async (start, more) => {
      expect(await door.checkUrl(`https://[${start}:${more.join(':')}]/`), `${start}:${more.join(':')}`).toMatchObject({ ok: false });
    }),
    { numRuns: 500 },
  );
});

test('of a name with a thousand addresses each is judged, whatever its place', async () => {
  const addresses = Array.from({ length: 1_000 }, (_, index) => `93.184.${index >> 8}.${index & 255}`);
  const resolve = async (): Promise<string[]> => addresses;
  const many = openOutbound({ allowHttp: true, allowCidrs: [], resolve });
  expect(await many.checkUrl('https://many.example/')).toEqual({ ok: true });
  for (const place of [0, 500, 999]) {
    const kept = addresses[place] ?? '';
    addresses[place] = '10.0.0.1';
    expect(await many.checkUrl('https://many.example/')).toMatchObject({ code: 'blocked_address' });
    await expect(many.request({ url: 'https://many.example/' })).rejects.toMatchObject({ code: 'blocked_address' });
    addresses[place] = kept;
  }
  await many.close();
});
