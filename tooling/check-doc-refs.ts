// Fails when a Markdown file of the repository names a path or an npm script that does not exist.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const LINK = /\]\((?!\w+:|#)([^)\s]+)\)/g;
const PATH_IN_CODE = /`((?:\.ci|apps|packages|tooling|docs|infra|benchmarks)\/[\w./@-]*\w\/?)`/g;
const SCRIPT = /\b(?:npm|pnpm) run ([\w:-]+)/g;

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));

const names = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

const dead = files.flatMap((file) => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [
    ...names(text, LINK).filter((link) => !existsSync(join(ROOT, dirname(file), link.split('#')[0] ?? ''))),
    ...names(text, PATH_IN_CODE).filter((path) => !existsSync(join(ROOT, path))),
    ...names(text, SCRIPT)
      .filter((script) => scripts[script] === undefined)
      .map((script) => `npm run ${script}`),
  ].map((reference) => `${file}: ${reference}`);
});

console.log(dead.length === 0 ? `${files.length} documents name nothing that is missing` : `These do not exist:\n${dead.join('\n')}`);
process.exitCode = dead.length === 0 ? 0 : 1;
