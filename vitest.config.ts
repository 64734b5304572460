import { defineConfig } from 'vitest/config';

const SERVERS = 'tooling/test-servers/global-setup.ts';
const PATIENCE = 'tooling/test-servers/patience.ts';
const IGNORED = ['**/node_modules/**', '**/.cache/**', '**/.tocsin/**'];
const ENDINGS = { db: ['**/*.db.test.ts'], queue: ['**/*.queue.test.ts', '**/*.pipeline.test.ts'], e2e: ['**/*.e2e.test.ts'] };

/** The file's ending says what a test needs: nothing, Postgres, both queues, or whole processes. Later groups wait for earlier ones. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'pure',
          // A property of a few hundred cases takes seconds where others use the machine, too.
          testTimeout: 60_000,
          include: ['**/*.test.ts'],
          exclude: [...IGNORED, ...Object.values(ENDINGS).flat()],
          setupFiles: PATIENCE,
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'db',
          include: ENDINGS.db,
          exclude: IGNORED,
          globalSetup: SERVERS,
          testTimeout: 90_000,
          hookTimeout: 120_000,
          setupFiles: PATIENCE,
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'queue',
          include: ENDINGS.queue,
          exclude: IGNORED,
          globalSetup: SERVERS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          setupFiles: PATIENCE,
          sequence: { groupOrder: 2 },
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ENDINGS.e2e,
          exclude: IGNORED,
          globalSetup: SERVERS,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          setupFiles: PATIENCE,
          sequence: { groupOrder: 3 },
          // Each of these starts several processes of its own.
          maxWorkers: 1,
        },
      },
    ],
  },
});
