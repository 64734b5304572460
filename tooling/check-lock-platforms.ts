// Fails when the lockfile lacks a binary package for Linux or macOS on x64 or arm64, or names the host of a registry.
// pnpm skips an optional package the registry does not have without a word, and an install on that platform then has no
// such tool: so what the installed manifests ask for is held against what the lockfile got.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const PLATFORM = /(linux|darwin)\b.*(x64|arm64)|(x64|arm64).*(linux|darwin)/;
const OTHER_PLATFORM = /musl|android|wasm/;

interface Manifest {
  name?: string;
  version?: string;
  optionalDependencies?: Record<string, string>;
}

const lock = readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8');
const manifests = globSync(['package.json', '{apps,packages}/*/package.json', 'node_modules/.pnpm/*/node_modules/{*,@*/*}/package.json'], {
  cwd: ROOT,
});

const missing = new Set<string>();
for (const file of manifests) {
  const { name, version: itsVersion, optionalDependencies = {} } = JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Manifest;
  // An earlier lockfile's packages may still lie about.
  if (file.startsWith('node_modules') && !lock.includes(`${name}@${itsVersion}`)) continue;
  for (const [binary, version] of Object.entries(optionalDependencies)) {
    const isOurs = PLATFORM.test(binary) && !OTHER_PLATFORM.test(binary);
    const wanted = /^\d/.test(version) ? `${binary}@${version}` : `${binary}@`;
    if (isOurs && !lock.includes(wanted)) missing.add(`${name} asks for ${binary} ${version}, which is not in the lockfile`);
  }
}
const hosts = lock.split('\n').filter((line) => /\b(tarball|registry):/.test(line));

const problems = [...missing, ...hosts.map((line) => `the lockfile names a host: ${line.trim()}`)];
console.log(problems.length === 0 ? 'Every platform has its binaries, and no registry is named' : problems.join('\n'));
process.exitCode = problems.length === 0 ? 0 : 1;
