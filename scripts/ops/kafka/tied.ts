// A program that does not outlive us, however we end: its keeper waits at the other end of a pipe that only we hold.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * `$0` is the program's folder. An owner that stops it says so; the end of the pipe without a word is the end of the owner, and
 * nobody else is left to remove the folder. A program that ended by itself leaves it as it is.
 */
const keeper = `exec 3<&0
"$@" 3<&- </dev/null &
program=$!
(
  read -r word <&3 || gone=1
  kill -9 $program
  while kill -0 $program; do sleep 0.1; done
  [ -z "$gone" ] || rm -rf "$0"
) 2>/dev/null &
watcher=$!
wait $program
code=$?
[ $code = 137 ] || kill $watcher
exit $code`;

/** A tied program. `child` is its keeper, which ends with it and with its exit code. */
export interface Tied {
  child: ChildProcess;
  stop(): Promise<void>;
}

/** Starts a program with its output in the file `log`. It is ended by SIGKILL: `folder` must be of no use afterwards. */
export function startTied(command: readonly string[], folder: string, log: number): Tied {
  // A session of its own: a Ctrl-C on the terminal is for us, and the end of the pipe follows from it.
  const child = spawn('sh', ['-c', keeper, folder, ...command], {
    stdio: ['pipe', log, log],
    detached: true,
  });
  return {
    child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.stdin?.end('stop\n');
      await ended;
    },
  };
}
