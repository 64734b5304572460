import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvLine } from './csv.ts';

/** Reads records as RFC 4180 writes them. */
function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let [record, cell, isQuoted]: [string[], string, boolean] = [[], '', false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (isQuoted && char === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (!isQuoted && char === ',') {
      record.push(cell);
      cell = '';
    } else if (!isQuoted && char === '\r' && text[at + 1] === '\n') {
      records.push([...record, cell]);
      [record, cell] = [[], ''];
      at += 1;
    } else cell += char;
  }
  return records;
}

test.each<[string, string]>([
  ['plain', 'plain\r\n'],
  ['a,b', '"a,b"\r\n'],
  ['say "no"', '"say ""no"""\r\n'],
  ['two\nlines', '"two\nlines"\r\n'],
  ['=1+1', "'=1+1\r\n"],
  ['+49 30', "'+49 30\r\n"],
  ['-rf', "'-rf\r\n"],
  ['@SUM(A1)', "'@SUM(A1)\r\n"],
  ['\t=1', "'\t=1\r\n"],
  ['\r=1', '"\'\r=1"\r\n'],
  ['\n=1', '"\'\n=1"\r\n'],
  ['＝1', "'＝1\r\n"],
  ['=cmd|"/c calc"!A1', '"\'=cmd|""/c calc""!A1"\r\n'],
])('%j is written so that it is read as text', (text, line) => {
  expect(csvLine([text])).toBe(line);
});

test('numbers and claims are what they are, nothing is an empty cell', () => {
  expect(csvLine([-5.5, 0, true, null, ''])).toBe('-5.5,0,true,,\r\n');
});

test('whatever the cells hold, it comes back, and nothing begins a formula', () => {
  const hostile = fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', '"', ',', "'", ' ', 'a', '1', '＝', 'ü') });
  fc.assert(
    fc.property(fc.array(fc.array(hostile, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 5 }), (records) => {
      const read = readCsv(records.map((cells) => csvLine(cells)).join(''));
      expect(read.map((cells) => cells.length)).toEqual(records.map((cells) => cells.length));
      for (const [row, cells] of read.entries()) {
        for (const [column, cell] of cells.entries()) {
          const written = records[row]![column]!;
          expect([written, `'${written}`]).toContain(cell);
          expect(cell).not.toMatch(/^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/);
        }
      }
    }),
  );
});
