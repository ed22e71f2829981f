// So many at a time: what a broker of MQTT 5 takes without an answer (receive maximum).
export interface SendWindow {
  /** Runs now or later; the task calls `done` once when it is over. */
  run(task: (done: () => void) => void): void;
  setLimit(limit: number): void;
  /** Tasks that are not over. */
  open(): number;
}

/** Without a limit until one is set. */
export function createWindow(): SendWindow {
  const waiting: ((done: () => void) => void)[] = [];
  let limit = Infinity;
  let running = 0;
  const drain = () => {
    while (running < limit) {
      const task = waiting.shift();
      if (task === undefined) return;
      running++;
      task(() => {
        running--;
        drain();
      });
    }
  };
  return {
    run: (task) => {
      waiting.push(task);
      drain();
    },
    setLimit: (next) => {
      limit = next;
      drain();
    },
    open: () => running + waiting.length,
  };
}
