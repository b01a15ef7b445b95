/** Another release of the server: the same code with every script in other words, so that Redis knows it by another name. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export type OtherRelease = {
  /** A module of it, by its path in the repository. */
  load<Loaded>(path: string): Promise<Loaded>;
  /** Removes it. */
  remove(): Promise<void>;
};

/** Makes one inside the repository, where its packages are found. */
export async function makeOtherRelease(): Promise<OtherRelease> {
  await mkdir(join(ROOT, '.data'), { recursive: true });
  const dir = await mkdtemp(join(ROOT, '.data/other-release-'));
  for (const part of ['server', 'client-sdk']) await cp(join(ROOT, part), join(dir, part), { recursive: true });
  const scripts = join(dir, 'server/store/scripts');
  for (const name of await readdir(scripts, { recursive: true })) {
    if (!name.endsWith('.lua')) continue;
    const file = join(scripts, name);
    await writeFile(file, `${await readFile(file, 'utf8')}\n-- As another release has it.\n`);
  }
  return {
    load: (path) => import(join(dir, path)),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}
