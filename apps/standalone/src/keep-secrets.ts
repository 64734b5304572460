import { randomBytes } from 'node:crypto';
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

/** The secrets of this data folder, made on its first start. Throws when the file was damaged: channels' secrets are sealed with what it held. */
export function keepSecrets(dataDir: string): Secrets {
  const path = join(dataDir, 'secrets.json');
  const kept = readJson(path);
  if (kept !== null) return Secrets.parse(kept);
  const secret = (): string => randomBytes(32).toString('base64url');
  const made = { appPassword: secret(), queuePassword: secret(), secretKey: secret(), adminKey: secret(), schedulerSecret: secret() };
  writePrivateJson(path, made);
  return made;
}
