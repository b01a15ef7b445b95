/**
 * Events come by another way than answers, and may overtake them: of what an event told while a question was under way,
 * it is not known which of the two is later. The answer is then passed over; the next one tells.
 */
export type Overtaking = {
  /** An event has told something about this. */
  note(about: string): void;
  /** Asks, and says of what events told meanwhile. Rejects as `ask` does. */
  during<T>(ask: () => Promise<T>): Promise<{ answer: T; overtaken: ReadonlySet<string> }>;
};

export function createOvertaking(): Overtaking {
  const underWay = new Set<Set<string>>();
  return {
    note(about) {
      for (const overtaken of underWay) overtaken.add(about);
    },
    async during(ask) {
      const overtaken = new Set<string>();
      underWay.add(overtaken);
      try {
        return { answer: await ask(), overtaken };
      } finally {
        underWay.delete(overtaken);
      }
    },
  };
}
