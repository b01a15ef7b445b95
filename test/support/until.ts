/** Waits for a condition, never for a time. */

/** Lets the others go on before a condition is looked at again. */
export const breath = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

/** Resolves once `condition` holds; the test's own time limit ends a wait that never does. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await breath();
}
