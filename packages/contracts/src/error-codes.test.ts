import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS } from './error-codes.ts';

const PAGE = new URL('../../../docs/errors.md', import.meta.url);

test('docs/errors.md lists exactly the codes there are, with their status, title and hint', () => {
  const documented = readFileSync(PAGE, 'utf8')
    .split('\n')
    .flatMap((line) => /^\| `(\w+)` \| (\d{3}) \| (.+?) \| (.+) \|$/.exec(line)?.slice(1) ?? [])
    .join('\n');
  const known = Object.entries(ERRORS)
    .flatMap(([code, { status, title, hint }]) => [code, String(status), title, hint.replaceAll('|', '\\|')])
    .join('\n');
  expect(documented).toBe(known);
});
