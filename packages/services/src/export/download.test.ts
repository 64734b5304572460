import type { Page } from '@tocsin/contracts';
import { expect, test } from 'vitest';
import type { Column } from './csv.ts';
import { download } from './download.ts';

interface Item {
  name: string;
  value: number;
}
const COLUMNS: readonly Column<Item>[] = [
  ['name', ({ name }) => name],
  ['value', ({ value }) => value],
];

/** A list of so many pages of two; `read` counts those that were asked for. */
function pagesOf(count: number) {
  const read: (string | undefined)[] = [];
  const page = async (cursor: string | undefined): Promise<Page<Item>> => {
    read.push(cursor);
    const at = cursor === undefined ? 0 : Number(cursor);
    if (count === 0) return { data: [], nextCursor: null };
    const data = [at * 2, at * 2 + 1].map((value) => ({ name: `=${value}`, value }));
    return { data, nextCursor: at + 1 < count ? String(at + 1) : null };
  };
  return { page, read };
}

async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk;
  return text;
}

test('every page is in it, each once, under a header', async () => {
  const { page, read } = pagesOf(3);
  const { contentType, fileName, chunks } = await download('csv', 'things', COLUMNS, page, undefined);
  expect([contentType, fileName]).toEqual(['text/csv; charset=utf-8; header=present', 'things.csv']);
  expect(await textOf(chunks)).toBe("name,value\r\n'=0,0\r\n'=1,1\r\n'=2,2\r\n'=3,3\r\n'=4,4\r\n'=5,5\r\n");
  expect(read).toEqual([undefined, '1', '2']);
});

test('a page is read when the one before it has been taken, the first before anything is answered', async () => {
  const { page, read } = pagesOf(100);
  const { chunks } = await download('csv', 'things', COLUMNS, page, undefined);
  expect(read).toHaveLength(1);
  const taken = chunks[Symbol.asyncIterator]();
  for (let chunk = 0; chunk < 4; chunk += 1) await taken.next();
  expect(read.length).toBeLessThan(5);
  await taken.return?.();
});

test.each([0, 1, 3])('JSON is one list, of %i pages too', async (count) => {
  const { page } = pagesOf(count);
  const { chunks } = await download('json', 'things', COLUMNS, page, undefined);
  expect(JSON.parse(await textOf(chunks))).toHaveLength(count * 2);
});

test('what is refused is refused before anything is answered', async () => {
  const refused = () => Promise.reject(new Error('no such cursor'));
  await expect(download('csv', 'things', COLUMNS, refused, 'x')).rejects.toThrow('no such cursor');
});
