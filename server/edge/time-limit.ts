/** Nobody waits for ever: commands to Redis wait for a reconnect, whoever asked for them does not. */

/** Did not come in time. It may still take effect. */
export class TooLate extends Error {
  constructor(ms?: number) {
    super(ms === undefined ? 'no answer in time' : `no answer within ${ms} ms`);
    this.name = 'TooLate';
  }
}

/** Settles as `work` does, or rejects with `TooLate` after `ms`; what `work` brings later is ignored. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate(ms)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
