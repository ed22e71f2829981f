// An abortable sleep. A wake-up that comes while nobody sleeps is kept for the next sleep.

/** Sleeps of one loop. */
export interface Sleeper {
  sleep(ms: number): Promise<void>;
  wake(): void;
}

/** A sleeper with nobody asleep. */
export function createSleeper(): Sleeper {
  let awake = false;
  let rouse: (() => void) | undefined;
  return {
    sleep(ms) {
      if (awake) {
        awake = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const timer = setTimeout(end, ms);
        function end() {
          clearTimeout(timer);
          rouse = undefined;
          resolve();
        }
        rouse = end;
      });
    },
    wake() {
      if (rouse === undefined) awake = true;
      else rouse();
    },
  };
}
