/** Who listens to which event of a client. */

type Listener = (data: never) => void;

/** The listeners of one client, by the name of the event. */
export type Listeners = {
  add(name: string, listener: Listener, once?: boolean): void;
  remove(name: string, listener: Listener): void;
  /** Calls them in the order they were added. One that throws keeps nobody else from hearing. */
  tell(name: string, data: unknown): void;
};

/** Nobody listens yet. */
export function createListeners(): Listeners {
  const byName = new Map<string, { listener: Listener; once: boolean }[]>();

  function remove(name: string, listener: Listener): void {
    const left = (byName.get(name) ?? []).filter((entry) => entry.listener !== listener);
    if (left.length > 0) byName.set(name, left);
    else byName.delete(name);
  }

  return {
    add(name, listener, once = false) {
      byName.set(name, [...(byName.get(name) ?? []), { listener, once }]);
    },
    remove,
    tell(name, data) {
      for (const { listener, once } of byName.get(name) ?? []) {
        if (once) remove(name, listener);
        try {
          (listener as (data: unknown) => void)(data);
        } catch (error) {
          // The listener's own mistake: reported as uncaught, but not in the middle of our work.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
  };
}
