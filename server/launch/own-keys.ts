/** The secrets of an installation that was given none: made once and kept beside its data. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import type { Keys } from '../services/access.ts';

const kept = z.object({ secret: z.string().min(16), adminKey: z.string().min(16) });

/** File in DATA_DIR that holds them, readable by its owner only. */
export const keysFile = (dataDir: string) => path.resolve(dataDir, 'keys.json');

function readKept(file: string): Keys | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return kept.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file} cannot be read; mend it, or remove it to have new keys made (everybody logs in again).`);
  }
}

/** The keys of the environment where it has them, else those kept in DATA_DIR, else new ones. */
export function ownKeys(config: Config): Keys {
  const file = keysFile(config.dataDir);
  let keys = readKept(file);
  if (!keys) {
    keys = { secret: randomBytes(32).toString('base64url'), adminKey: randomBytes(24).toString('base64url') };
    mkdirSync(path.dirname(file), { recursive: true });
    // Renamed into place: a crash leaves no half of it.
    writeFileSync(`${file}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
    chmodSync(`${file}.new`, 0o600);
    renameSync(`${file}.new`, file);
  }
  return { secret: config.secret ?? keys.secret, adminKey: config.adminKey ?? keys.adminKey };
}
