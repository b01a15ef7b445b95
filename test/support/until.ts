/** Waits for a condition, never for a time. */

/** Lets the others go on before a condition is looked at again. */
export const breath = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

/** Who waits longer than this, in ms, says where: of a test that runs into its limit nothing else is seen. */
const LONG_MS = 30_000;

/** Resolves once `condition` holds; the test's own time limit ends a wait that never does. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const here = new Error(`This has not come true within ${LONG_MS / 1_000} s: ${condition}`);
  const timer = setTimeout(() => console.warn(here.stack), LONG_MS).unref();
  try {
    while (!(await condition())) await breath();
  } finally {
    clearTimeout(timer);
  }
}
