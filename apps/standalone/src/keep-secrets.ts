import { CannotStart } from '@tocsin/runtime';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writePrivateJson } from './private-file.ts';

const Secrets = z.strictObject({
  appPassword: z.string().min(1),
  queuePassword: z.string().min(1),
  secretKey: z.string().min(32),
  adminKey: z.string().min(16),
  schedulerSecret: z.string().min(32),
});
export type Secrets = z.infer<typeof Secrets>;

/** The secrets of this data folder, made on its first start. Throws CannotStart when the file was damaged: channels' secrets are sealed with what it held. */
export function keepSecrets(dataDir: string, say: (line: string) => void): Secrets {
  const path = join(dataDir, 'secrets.json');
  if (existsSync(path)) return readSecrets(path);
  if (existsSync(join(dataDir, 'postgres'))) {
    say(`${path} is gone, so new secrets are made: channels that had some need them again`);
  }
  const secret = (): string => randomBytes(32).toString('base64url');
  const made = { appPassword: secret(), queuePassword: secret(), secretKey: secret(), adminKey: secret(), schedulerSecret: secret() };
  writePrivateJson(path, made);
  return made;
}

function readSecrets(path: string): Secrets {
  try {
    return Secrets.parse(readJson(path));
  } catch (cause) {
    throw new CannotStart(
      `${path} is damaged: put it back from a backup, or delete it, after which channels that had secrets need them again.`,
      { cause },
    );
  }
}
