/** What this browser tab remembers over a reload, and no longer: two tabs can be two agents. */

/** What was kept under a name; undefined if nothing was, or the browser keeps nothing. */
export function recall<T>(name: string): T | undefined {
  try {
    const kept = sessionStorage.getItem(`fenliu-${name}`);
    return kept === null ? undefined : (JSON.parse(kept) as T);
  } catch {
    return undefined;
  }
}

/** Keeps a value under a name; `undefined` forgets it. */
export function remember(name: string, value: unknown): void {
  try {
    if (value === undefined) sessionStorage.removeItem(`fenliu-${name}`);
    else sessionStorage.setItem(`fenliu-${name}`, JSON.stringify(value));
  } catch {
    // Then a reload begins anew.
  }
}
