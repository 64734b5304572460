import { describe, expect, test } from 'vitest';
import { openOutbound } from './open-outbound.ts';

const PUBLIC = '93.184.215.14';
const resolve = async (hostname: string): Promise<string[]> => {
  const addresses: Record<string, string[]> = {
    'hooks.example.com': [PUBLIC, '2606:2800:21f::1'],
    'inside.example.com': ['10.0.0.7'],
    'half.example.com': [PUBLIC, '::1'],
    'alias.example.com': ['127.0.0.1'],
    'intranet.example.com': ['10.1.2.3'],
  };
  const found = addresses[hostname];
  if (found === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' });
  return found;
};
const door = openOutbound({ allowHttp: true, allowCidrs: [], resolve });
const httpsOnly = openOutbound({ allowHttp: false, allowCidrs: ['10.1.0.0/16'], resolve });

const NEVER = [
  [
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0/',
    'http://0x7f.1/',
    'http://127.0.0.1./',
    'http://①②⑦.⓪.⓪.①/',
  ],
  [
    'http://localhost/',
    'HTTP://LOCALHOST./',
    'http://localhost%2e/',
    'http://a.localhost/',
    'http://localhost../',
    'http:127.0.0.1',
    'http:/127.0.0.1',
    'http:///127.0.0.1',
  ],
  [
    '\u0001http://127.0.0.1/',
    ' http://hooks.example.com',
    'http://hooks.exa\tmple.com',
    'http://hooks.example.com\n',
    'http:\\\\127.0.0.1\\',
    'http://hooks.example.com\\@127.0.0.1/',
  ],
  [
    'http://evil.com@127.0.0.1/',
    'http://127.0.0.1#@evil.com/',
    'https://user:pass@hooks.example.com/',
    'https://@hooks.example.com/',
    'https://hooks.example.com@127.0.0.1/',
  ],
  [
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b:1::1]/',
    'http://[64:ff9b::127.0.0.1]/',
  ],
  [
    'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
    'http://[2002:7f00:1::]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1]/',
    'http://[0:0:0:0:0:0:0:1]/',
  ],
  [
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/',
    'http://METADATA.google.internal./',
    'http://metadata/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
  ],
  [
    'http://10.0.0.1/',
    'http://172.16.0.1/',
    'http://192.168.1.1/',
    'http://100.64.0.1/',
    'http://192.0.0.192/',
    'http://192.88.99.1/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
  ],
  ['http://inside.example.com/', 'http://half.example.com/', 'http://alias.example.com/', 'http://alias.example.com./'],
  [
    'https://hooks.example.com:6379/',
    'https://hooks.example.com:25/',
    'https://hooks.example.com:5432/',
    'https://hooks.example.com:22/',
    'https://nowhere.example.com:0/',
  ],
  [
    'gopher://hooks.example.com/',
    'file:///etc/passwd',
    'ftp://hooks.example.com/',
    'data:text/plain,hi',
    'javascript:alert(1)',
    'ws://hooks.example.com/',
    'wss://hooks.example.com/',
    'unix:/var/run/docker.sock',
  ],
  [
    '',
    'hooks.example.com',
    '//hooks.example.com/',
    'https://',
    'https:///',
    'https://hooks.example.com:99999/',
    `https://hooks.example.com/${'x'.repeat(2_048)}`,
  ],
].flat();

describe('a URL when it is saved', () => {
  test.each(NEVER)('is refused: %j', async (url) => {
    const verdict = await door.checkUrl(url);
    expect(verdict.ok).toBe(false);
  });

  test.each(NEVER)('is refused when it is sent to as well, with no packet: %j', async (url) => {
    await expect(door.request({ url })).rejects.toMatchObject({
      name: 'OutboundError',
      code: expect.stringMatching(/^(url_not_allowed|blocked_address|dns)$/),
    });
  });

  test.each([
    'https://hooks.example.com/',
    'http://hooks.example.com:80/x?y=1#z',
    'https://hooks.example.com:8443/',
    'https://HOOKS.example.com./',
    `https://${PUBLIC}/`,
  ])('is allowed: %s', async (url) => expect(await door.checkUrl(url)).toEqual({ ok: true }));

  test('plain http is refused unless the operator allows it', async () => {
    expect(await httpsOnly.checkUrl('http://hooks.example.com/')).toEqual({
      ok: false,
      code: 'url_not_allowed',
      message: 'only https is allowed',
    });
    expect(await httpsOnly.checkUrl('https://hooks.example.com/')).toEqual({ ok: true });
  });

  test('a network that the operator names is allowed on any port', async () => {
    expect(await httpsOnly.checkUrl('https://intranet.example.com:9200/')).toEqual({ ok: true });
    expect(await httpsOnly.checkUrl('https://10.1.2.3/')).toEqual({ ok: true });
    expect(await httpsOnly.checkUrl('https://inside.example.com/')).toMatchObject({ ok: false, code: 'blocked_address' });
  });

  test('a name that does not resolve now may be saved: every connection judges it again', async () => {
    expect(await door.checkUrl('https://not-yet.example.com/')).toEqual({ ok: true });
    await expect(door.request({ url: 'https://not-yet.example.com/secret-path' })).rejects.toMatchObject({
      code: 'dns',
      message: 'the name cannot be resolved (ENOTFOUND)',
    });
  });

  test('no verdict repeats the URL', async () => {
    for (const url of ['https://user:hunter2@hooks.example.com/', 'http://10.20.30.40/hunter2', 'https://hooks.example.com:6379/hunter2']) {
      expect(JSON.stringify(await door.checkUrl(url))).not.toMatch(/hunter2|10\.20|hooks/);
    }
  });
});
