/**
 * Notices that Redis is another process than before, which may have lost what came last (docs/decisions/0020). Whoever asks is
 * told, and what this process remembers of shops and buyers is forgotten.
 */
import { readLife } from '../store/life.ts';
import type { Connection } from '../store/script.ts';

export type StoreLife = {
  /** The life that was found last; `undefined` before it was looked for. */
  now(): string | undefined;
  /** Looks. Answers true where it is another one than was found before; what cannot be asked now is asked next time. */
  look(): Promise<boolean>;
};

/** `onAnother` is called for each life that follows another. */
export function createStoreLife(redis: Connection, onAnother: () => void): StoreLife {
  let found: string | undefined;
  return {
    now: () => found,
    async look() {
      const before = found;
      const life = await readLife(redis).catch(() => undefined);
      found = life ?? before;
      const another = before !== undefined && found !== before;
      if (another) onAnother();
      return another;
    },
  };
}
