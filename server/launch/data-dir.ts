/** The directory of an installation's own data. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';

/** Makes DATA_DIR if it is missing. Throws an error that names it when it cannot be made or written. */
export function ensureDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const where = path.resolve(dataDir);
    throw new Error(`DATA_DIR (${where}) cannot be made or written (${code}); set it to a directory you may write to.`);
  }
}
