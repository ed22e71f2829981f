// Says on the terminal what is going on: one changing line on a TTY, one line a step elsewhere, always with seconds.
import type { Report } from './types.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface Progress {
  step: Report;
  /** The last step is done: ends the changing line, if any. */
  close: () => void;
  /** The last step failed. */
  fail: () => void;
}

/** Reports the steps of `work`; the last one is done or failed as `work` is. */
export async function withProgress<T>(
  work: (report: Report) => Promise<T>,
  out: NodeJS.WriteStream = process.stdout,
): Promise<T> {
  const progress = openProgress(out);
  try {
    const result = await work(progress.step);
    progress.close();
    return result;
  } catch (error) {
    progress.fail();
    throw error;
  }
}

export function openProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  const startedAt = Date.now();
  const elapsed = (): string => `${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s`;
  if (!out.isTTY) {
    return {
      step: (text) => out.write(`${elapsed()}  ${text}\n`),
      close: () => undefined,
      fail: () => undefined,
    };
  }
  let current = '';
  let frame = 0;
  const draw = (): void => {
    frame = (frame + 1) % frames.length;
    out.write(`\r\u001b[2K${frames[frame] ?? ''} ${elapsed()}  ${current}`);
  };
  const finishLine = (mark: '✓' | '✗'): void => {
    if (current !== '') out.write(`\r\u001b[2K${mark} ${elapsed()}  ${current}\n`);
  };
  const end = (mark: '✓' | '✗'): void => {
    clearInterval(timer);
    finishLine(mark);
    current = '';
  };
  const timer = setInterval(draw, 100);
  return {
    step: (text) => {
      finishLine('✓');
      current = text;
      draw();
    },
    close: () => end('✓'),
    fail: () => end('✗'),
  };
}
