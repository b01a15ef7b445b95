/** A node that loses what it tells, as when the relay is away for a moment. */
import type { Tell } from '../../server/services/house.ts';

export type Losses = { told: number; lost: number };

/** From now on `share` (0 to 1) of all events that `tell` is given reach nobody; counts them. */
export function lose(tell: Tell, share: number, draw: () => number): Losses {
  const losses = { told: 0, lost: 0 };
  const original = { ...tell };
  const lossy = Object.fromEntries(
    Object.entries(original).map(([name, send]) => [
      name,
      (...args: unknown[]) => {
        losses.told += 1;
        if (draw() < share) losses.lost += 1;
        else (send as (...args: unknown[]) => void)(...args);
      },
    ]),
  );
  Object.assign(tell, lossy);
  return losses;
}
