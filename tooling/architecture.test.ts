import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Every arrow in the system. A new one is a decision, so it is made here, in review. */
const MAY_USE: Record<string, readonly string[]> = {
  'packages/domain': [],
  'packages/contracts': ['domain'],
  'packages/channels': ['domain'],
  'packages/runtime': ['domain'],
  'packages/queue': [],
  'packages/embedded-postgres': [],
  'packages/db': ['domain'],
  'packages/events': ['domain', 'db', 'runtime'],
  'packages/sources': ['domain', 'db', 'events'],
  'packages/pipeline': ['domain', 'db', 'events', 'sources', 'channels', 'queue', 'runtime'],
  'packages/services': ['domain', 'contracts', 'channels', 'db', 'events', 'sources', 'pipeline', 'queue', 'runtime'],
  'packages/testkit': ['domain', 'db', 'queue', 'runtime', 'embedded-postgres'],
  'apps/migrate': ['db', 'queue', 'runtime'],
  'apps/api': ['domain', 'contracts', 'services', 'pipeline', 'events', 'db', 'queue', 'runtime'],
  'apps/scheduler': ['pipeline', 'db', 'queue', 'runtime'],
  'apps/evaluator': ['pipeline', 'events', 'sources', 'db', 'queue', 'runtime'],
  'apps/dispatcher': ['pipeline', 'channels', 'db', 'queue', 'runtime'],
  'apps/standalone': [
    'api',
    'scheduler',
    'evaluator',
    'dispatcher',
    'migrate',
    'domain',
    'services',
    'pipeline',
    'events',
    'db',
    'queue',
    'runtime',
    'embedded-postgres',
  ],
};

/** Libraries that one room keeps to itself, so that it can be changed in one place. */
const KEPT_TO: readonly { library: RegExp; rooms: readonly string[] }[] = [
  { library: /^drizzle-orm\b/, rooms: ['packages/db'] },
  { library: /^postgres$/, rooms: ['packages/db', 'packages/embedded-postgres'] },
  { library: /^pg$/, rooms: ['packages/db', 'packages/queue'] },
  { library: /^(bullmq|ioredis)$/, rooms: ['packages/queue'] },
  { library: /^@bull-board\//, rooms: ['apps/api'] },
  // Rules in files are checked like rules in requests, and stored by the same verbs; so they are read where those are.
  { library: /^yaml$/, rooms: ['packages/services'] },
  {
    library: /^(undici|node:https?|node:tls|node:dns\b.*)$/,
    rooms: ['packages/runtime', 'packages/embedded-postgres', 'apps/api', 'apps/standalone'],
  },
  // The database's own socket, which notices when its line is dead.
  { library: /^node:net$/, rooms: ['packages/runtime', 'packages/db', 'packages/embedded-postgres', 'apps/api', 'apps/standalone'] },
  // Asked about instants it is given; it looks at no clock of its own.
  { library: /^croner$/, rooms: ['packages/domain'] },
  { library: /^re2js$/, rooms: ['packages/domain'] },
  { library: /^vitest$/, rooms: [] },
];

/** Reads the environment: each process once, where it begins; everything else is told. */
const READS_ENVIRONMENT = [/^apps\/[^/]+\/src\/main\.ts$/, /^packages\/runtime\/src\/(config\/.*|run-process|fault-point)\.ts$/];

const ROOT = join(import.meta.dirname, '..');
const rooms = globSync('{apps,packages}/*/package.json', { cwd: ROOT }).map((file) => dirname(file));

interface SourceFile {
  path: string;
  code: string;
  imports: string[];
}

const IMPORT = /(?:^|[\s;])(?:import|export)\s(?:[^;'"]*?\sfrom\s)?\s*'([^']+)'|\bimport\(\s*'([^']+)'/g;

function sources(room: string): SourceFile[] {
  return globSync(`${room}/{src,test}/**/*.ts`, { cwd: ROOT, exclude: ['**/node_modules'] }).map((path) => {
    const code = readFileSync(join(ROOT, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*/g, '');
    return { path, code, imports: [...code.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '') };
  });
}

const isTest = (path: string): boolean => path.endsWith('.test.ts') || path.includes('/test/') || path.startsWith('packages/testkit/');
const production = (room: string): SourceFile[] => sources(room).filter(({ path }) => !isTest(path));
const roomsIn = (names: readonly string[]): string[] => names.flatMap((name) => /^@tocsin\/([^/]+)/.exec(name)?.[1] ?? []);

describe.each(rooms)('%s', (room) => {
  const allowed = MAY_USE[room];

  test('is in the table of arrows', () => {
    expect(allowed).toBeDefined();
  });

  test('declares only what the table allows', () => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(ROOT, room, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    expect(roomsIn(Object.keys(dependencies)).filter((name) => !allowed?.includes(name))).toEqual([]);
  });

  test('imports only what the table allows, and only through front doors', () => {
    const wrong = sources(room).flatMap(({ path, imports }) => [
      ...roomsIn(imports)
        .filter((name) => !isTest(path) && !allowed?.includes(name))
        .map((name) => `${path} imports ${name}`),
      ...imports.filter((name) => /^@tocsin\/[^/]+\//.test(name)).map((name) => `${path} goes around the door: ${name}`),
      ...imports
        .filter((name) => name.startsWith('.') && relative(room, join(dirname(path), name)).startsWith('..'))
        .map((name) => `${path} reaches into another room: ${name}`),
    ]);
    expect(wrong).toEqual([]);
  });

  test('leaves to other rooms the libraries that are theirs', () => {
    const wrong = production(room).flatMap(({ path, imports }) =>
      imports
        .filter((name) => KEPT_TO.some((rule) => rule.library.test(name) && !rule.rooms.includes(room)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('reads the environment only where a process begins', () => {
    const readers = production(room).filter(({ code }) => /\bprocess\.env\b/.test(code));
    expect(readers.map(({ path }) => path).filter((path) => !READS_ENVIRONMENT.some((place) => place.test(path)))).toEqual([]);
  });
});

describe.each(['packages/domain', 'packages/contracts'])('%s is pure', (room) => {
  test('it imports zod, the domain and itself, and the domain its readers of crons and of patterns', () => {
    const others = production(room).flatMap(({ imports }) =>
      imports.filter((name) => !/^(\.|zod$|croner$|re2js$|@tocsin\/domain$)/.test(name)),
    );
    expect(others).toEqual([]);
  });

  test('it never looks at a clock, the dice, the network or the process it runs in', () => {
    const impure =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\)|\bperformance\.|\bMath\.random\b|\bfetch\(|\bset(Timeout|Interval|Immediate)\b|\bprocess\.|\bcrypto\./;
    expect(production(room).flatMap(({ path, code }) => (impure.test(code) ? `${path}: ${impure.exec(code)?.[0]}` : []))).toEqual([]);
  });
});

test('a channel does not see its siblings', () => {
  const wrong = production('packages/channels').flatMap(({ path, imports }) => {
    const folder = /^packages\/channels\/src\/([^/]+)\//.exec(path)?.[1];
    if (folder === undefined) return [];
    return imports
      .filter((name) => name.startsWith('.'))
      .map((name) => relative('packages/channels/src', join(dirname(path), name)))
      .filter((target) => target.includes('/') && !target.startsWith(`${folder}/`))
      .map((target) => `${path} sees ${target}`);
  });
  expect(wrong).toEqual([]);
});

test('no app is imported by anything but standalone', () => {
  const apps = rooms.filter((room) => room.startsWith('apps/')).map((room) => room.slice('apps/'.length));
  for (const [room, allowed] of Object.entries(MAY_USE)) {
    if (room !== 'apps/standalone') expect(allowed.filter((name) => apps.includes(name))).toEqual([]);
  }
});
