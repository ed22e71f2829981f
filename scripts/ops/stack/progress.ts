// Says on the terminal what is going on: one changing line on a TTY, one line a step elsewhere, always with seconds.
import type { Report } from './types.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface Progress {
  step: Report;
  /** Ends the changing line, if any. */
  close: () => void;
}

export function openProgress(out: NodeJS.WriteStream = process.stdout): Progress {
  const startedAt = Date.now();
  const elapsed = (): string => `${((Date.now() - startedAt) / 1000).toFixed(0).padStart(4)} s`;
  if (!out.isTTY) {
    return { step: (text) => out.write(`${elapsed()}  ${text}\n`), close: () => undefined };
  }
  let current = '';
  let frame = 0;
  const draw = (): void => {
    frame = (frame + 1) % frames.length;
    out.write(`\r\u001b[2K${frames[frame] ?? ''} ${elapsed()}  ${current}`);
  };
  const finishLine = (): void => {
    if (current !== '') out.write(`\r\u001b[2K✓ ${elapsed()}  ${current}\n`);
  };
  const timer = setInterval(draw, 100);
  return {
    step: (text) => {
      finishLine();
      current = text;
      draw();
    },
    close: () => {
      clearInterval(timer);
      finishLine();
      current = '';
    },
  };
}
