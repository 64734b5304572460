import type { Page } from '@tocsin/contracts';
import { type Column, csvLine } from './csv.ts';

/** A list that is answered whole, a page at a time: no more than one is in memory. */
export class Download {
  readonly contentType: string;
  readonly fileName: string;
  readonly chunks: AsyncIterable<string>;

  constructor(contentType: string, fileName: string, chunks: AsyncIterable<string>) {
    this.contentType = contentType;
    this.fileName = fileName;
    this.chunks = chunks;
  }
}

const PER_PAGE = 500;

/**
 * All that a list has from `cursor` on. The first page is read before it answers, so that what is refused is refused as ever; what fails later breaks
 * the answer off, which its reader notices.
 * @param page reads what follows a cursor
 */
export async function download<Item>(
  format: 'csv' | 'json',
  name: string,
  columns: readonly Column<Item>[],
  page: (cursor: string | undefined, limit: number) => Promise<Page<Item>>,
  cursor: string | undefined,
): Promise<Download> {
  const first = await page(cursor, PER_PAGE);
  const pages = pagesFrom(first, (after) => page(after, PER_PAGE));
  return format === 'csv'
    ? new Download('text/csv; charset=utf-8; header=present', `${name}.csv`, csvChunks(columns, pages))
    : new Download('application/json; charset=utf-8', `${name}.json`, jsonChunks(pages));
}

async function* pagesFrom<Item>(first: Page<Item>, next: (cursor: string) => Promise<Page<Item>>): AsyncGenerator<Item[]> {
  for (let page = first; ; page = await next(page.nextCursor)) {
    yield page.data;
    if (page.nextCursor === null) return;
  }
}

async function* csvChunks<Item>(columns: readonly Column<Item>[], pages: AsyncIterable<Item[]>): AsyncGenerator<string> {
  yield csvLine(columns.map(([header]) => header));
  for await (const items of pages) {
    if (items.length > 0) yield items.map((item) => csvLine(columns.map(([, cell]) => cell(item)))).join('');
  }
}

async function* jsonChunks<Item>(pages: AsyncIterable<Item[]>): AsyncGenerator<string> {
  let before = '[';
  for await (const items of pages) {
    if (items.length === 0) continue;
    yield before + items.map((item) => JSON.stringify(item)).join(',\n');
    before = ',\n';
  }
  yield before === '[' ? '[]\n' : ']\n';
}
