import { describe, expect, test } from 'vitest';
import { addressPolicy } from './address-policy.ts';

const strict = addressPolicy([], [80, 443, 8_443]);

describe('which addresses may be connected to', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '93.184.215.14',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450::1',
  ])('public: %s', (address) => expect(strict.refusal(address, 443)).toBeNull());

  test.each(
    [
      [
        '0.0.0.0',
        '0.1.2.3',
        '10.0.0.1',
        '100.64.0.1',
        '100.100.100.200',
        '127.0.0.1',
        '127.255.255.254',
        '169.254.169.254',
        '172.16.0.1',
        '172.31.255.255',
      ],
      [
        '192.0.0.1',
        '192.0.2.1',
        '192.88.99.1',
        '192.168.0.1',
        '198.18.0.1',
        '198.51.100.1',
        '203.0.113.1',
        '224.0.0.1',
        '239.255.255.255',
        '240.0.0.1',
        '255.255.255.255',
      ],
      [
        '168.63.129.16',
        '::',
        '::1',
        '::127.0.0.1',
        '::ffff:127.0.0.1',
        '::ffff:169.254.169.254',
        '::ffff:0:127.0.0.1',
        '64:ff9b::7f00:1',
        '64:ff9b:1::1',
        '100::1',
      ],
      [
        '2001::1',
        '2001:db8::1',
        '2001:20::1',
        '2002:7f00:1::',
        '3fff::1',
        '4000::1',
        '5f00::1',
        'fc00::1',
        'fd00:ec2::254',
        'fe80::1',
        'fe80::1%eth0',
        'fec0::1',
        'ff02::1',
      ],
      ['', 'localhost', 'not an address', '1.2.3', '1.2.3.4.5'],
    ].flat(),
  )('never: %s', (address) => expect(strict.refusal(address, 443)).toMatchObject({ code: 'blocked_address' }));

  test('a network that the operator names is allowed on any port, in either spelling of an address, and nothing beside it', () => {
    const policy = addressPolicy(['10.1.0.0/16', 'fd00::/8', '168.63.129.16/32'], [443]);
    expect(policy.refusal('10.1.2.3', 9_999)).toBeNull();
    expect(policy.refusal('::ffff:10.1.2.3', 443)).toBeNull();
    expect(policy.refusal('fd12::1', 22)).toBeNull();
    expect(policy.refusal('168.63.129.16', 443)).toBeNull();
    expect(policy.refusal('10.2.0.1', 443)).toMatchObject({ code: 'blocked_address' });
    expect(policy.refusal('127.0.0.1', 443)).toMatchObject({ code: 'blocked_address' });
  });

  test.each([22, 25, 53, 5_432, 6_379, 8_080])('port %i of a public address is refused', (port) => {
    expect(strict.refusal('8.8.8.8', port)).toEqual({ code: 'url_not_allowed', message: `port ${port} is not allowed` });
  });

  test('a refusal does not repeat the address', () => {
    expect(strict.refusal('10.20.30.40', 443)?.message).not.toContain('10.20');
  });
});
