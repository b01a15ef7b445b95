/** Work on many things, some of them at the same time: enough to keep Redis busy while answers are on their way. */

/** Works on every item, `limit` at once; one that fails does not keep the others waiting. Answers the failures. */
export async function atOnce<T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  // One iterator for all lanes: each takes what is next.
  const left = items[Symbol.iterator]();
  const lane = async () => {
    for (let item = left.next(); !item.done; item = left.next()) {
      try {
        await work(item.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return failures;
}
