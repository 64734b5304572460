// Preloaded into a process that is measured: now and then collects its garbage and writes down what is left.
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_MS = 60_000;
const file = process.env['TOCSIN_TEST_HEAP_FILE'];

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

setInterval(() => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ atMs: Date.now(), bytes: heapUsed + external })}\n`);
}, EVERY_MS).unref();
