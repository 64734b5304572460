import { runProcess, variables } from '@tocsin/runtime';
import { z } from 'zod';
import { prepareDatabase } from './prepare-database.ts';

const { adminDatabaseUrl, databaseUrl, queueUrl } = variables;

await runProcess('migrate', z.object({ adminDatabaseUrl, databaseUrl, queueUrl }), async ({ config, logger }) => {
  await prepareDatabase({ ...config, log: (line) => logger.info(line) });
  return 'finished';
});
