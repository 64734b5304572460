import { ConfigError } from '@tocsin/runtime';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether the data folder is there or can be made, asked first: what is deeper down only knows that a file could not be written. Throws ConfigError. */
export function checkDataDir(dataDir: string): void {
  let nearest = dataDir;
  while (!existsSync(nearest) && dirname(nearest) !== nearest) nearest = dirname(nearest);
  const refuse = (problem: string): never => {
    throw new ConfigError([{ variable: 'TOCSIN_DATA_DIR', problem }]);
  };
  if (!statSync(nearest).isDirectory()) refuse(`leads through ${nearest}, which is a file: name a folder`);
  try {
    accessSync(nearest, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    refuse(`${nearest === dataDir ? 'is' : 'would be made in'} ${nearest}, where this user may not write: set it to a folder of your own`);
  }
}
