import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openResolver } from './resolver.ts';

const A = 1;
const NO_SUCH_NAME = 0x8183;
const ANSWER = 0x8180;

let dns: Socket;
let servers: string[];
let folder: string;
let hostsFile: string;
const asked: string[] = [];

/** Answers `public…` with an A and an AAAA, `half…` with an A alone, `missing…` with no such name; of `silent…` it says nothing. */
beforeAll(async () => {
  dns = createSocket('udp4').on('message', (query, from) => {
    const end = 12 + query.subarray(12).indexOf(0) + 5;
    const name = query.subarray(13, end).toString('latin1');
    const type = query.readUInt16BE(end - 4);
    asked.push(name);
    if (name.startsWith('silent')) return;
    const address =
      name.startsWith('missing') || (name.startsWith('half') && type !== A)
        ? null
        : type === A
          ? '5db8d70e'
          : '20010db8000000000000000000000001';
    const reply = Buffer.from(query.subarray(0, end));
    reply.writeUInt16BE(name.startsWith('missing') ? NO_SUCH_NAME : ANSWER, 2);
    reply.writeUInt16BE(address === null ? 0 : 1, 6);
    reply.writeUInt16BE(0, 10);
    const record = address === null ? '' : `c00c${type === A ? '0001' : '001c'}000100000000${type === A ? '0004' : '0010'}${address}`;
    dns.send(Buffer.concat([reply, Buffer.from(record, 'hex')]), from.port, from.address);
  });
  dns.bind(0, '127.0.0.1');
  await once(dns, 'listening');
  servers = [`127.0.0.1:${dns.address().port}`];
  folder = await mkdtemp(join(tmpdir(), 'hosts-'));
  hostsFile = join(folder, 'hosts');
  await writeFile(
    hostsFile,
    '# 10.9.9.9 public.example\n127.0.0.1 localhost\n10.1.2.3\tPublic-Inside.example other # public.example\nfe80::1 other\nnonsense public.example\n',
  );
});
afterAll(async () => {
  dns.close();
  await rm(folder, { recursive: true });
});

const never = async (hostname: string): Promise<string[]> => Promise.reject(new Error(`the system was asked for ${hostname}`));

describe('a name', () => {
  test('has the addresses of both kinds that DNS gives it', async () => {
    const resolve = openResolver({ servers, hostsFile, system: never });
    expect(await resolve('public.example')).toEqual(['93.184.215.14', '2001:db8::1']);
    expect(await resolve('public.example.')).toEqual(['93.184.215.14', '2001:db8::1']);
    expect(await resolve('half.example')).toEqual(['93.184.215.14']);
  });

  test('that the hosts file has is not asked for', async () => {
    const resolve = openResolver({ servers, hostsFile, system: never });
    asked.length = 0;
    expect(await resolve('public-inside.EXAMPLE')).toEqual(['10.1.2.3']);
    expect(await resolve('other.')).toEqual(['10.1.2.3', 'fe80::1']);
    expect(asked).toEqual([]);
    expect(await openResolver({ servers, hostsFile: join(folder, 'none'), system: never })('public.example')).toHaveLength(2);
  });

  test('that DNS does not know is looked up as the machine does', async () => {
    const resolve = openResolver({ servers, hostsFile, system: async (hostname) => [`of ${hostname}`] });
    expect(await resolve('missing.example')).toEqual(['of missing.example']);
    const noServer = openResolver({ servers: ['127.0.0.1:1'], hostsFile, system: async () => ['10.0.0.1'] });
    expect(await noServer('public.example')).toEqual(['10.0.0.1']);
  });

  test('whose server says nothing fails in time, without a thread of the system, and nobody waits for it', async () => {
    const resolve = openResolver({ servers, hostsFile, system: never, timeoutMs: 500 });
    const silent = Promise.allSettled(Array.from({ length: 100 }, (_, index) => resolve(`silent-${index}.example`)));
    let isOver = false;
    void silent.then(() => (isOver = true));
    const answered = await Promise.all(Array.from({ length: 5 }, (_, index) => resolve(`public-${index}.example`)));
    expect(answered.map(({ length }) => length)).toEqual([2, 2, 2, 2, 2]);
    expect(isOver).toBe(false);
    for (const outcome of await silent) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'dns', message: 'the name cannot be resolved (ETIMEOUT)' } });
    }
  });

  test('takes one of two places where the system is asked, and gives it back when that fails', async () => {
    let running = 0;
    let most = 0;
    const gates: PromiseWithResolvers<string[]>[] = [];
    const resolve = openResolver({
      servers,
      hostsFile,
      system: async () => {
        most = Math.max(most, (running += 1));
        const gate = Promise.withResolvers<string[]>();
        gates.push(gate);
        return gate.promise.finally(() => (running -= 1));
      },
    });
    const all = Promise.allSettled(Array.from({ length: 6 }, (_, index) => resolve(`missing-${index}.example`)));
    let isOver = false;
    void all.then(() => (isOver = true));
    while (!isOver) {
      gates.shift()?.reject(new Error('ENOTFOUND'));
      await new Promise(setImmediate);
    }
    expect(most).toBe(2);
    expect((await all).every(({ status }) => status === 'rejected')).toBe(true);
  });
});
