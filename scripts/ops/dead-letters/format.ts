// Dead letters as text for a terminal.

/** A dead letter as REST tells it; `payload` and `is_cut` only where one is shown. */
export interface Letter {
  id: number;
  received_at: string;
  topic: string;
  reason: string;
  payload_size: number;
  batch_id: string | null;
  replays: number;
  replayed_at: string | null;
  payload?: string;
  is_cut?: boolean;
}

/** What a replay did. */
export interface Replayed {
  taken: number;
  dead: number;
  rejected: number;
  results: { id: number; status: string; reason?: string }[];
}

/** Two lines each: what it was, and why it could not be taken. */
export function formatLetters(letters: readonly Letter[]): string {
  if (letters.length === 0) return 'no dead letters';
  return letters.map((letter) => `${headOf(letter)}\n    ${clean(letter.reason)}`).join('\n');
}

/** One with its payload. */
export function formatLetter(letter: Letter): string {
  const cut = letter.is_cut === true ? ` (only the beginning of ${letter.payload_size} bytes is kept)` : '';
  const batch = letter.batch_id === null ? '' : `\nbatch: ${clean(letter.batch_id)}`;
  return `${headOf(letter)}${batch}\nreason: ${clean(letter.reason)}\npayload${cut}:\n${clean(letter.payload ?? '')}`;
}

/** One that was not taken. */
export function describeReplay({ id, status, reason }: Replayed['results'][number]): string {
  return `${id} ${status}: ${clean(reason ?? '')}`;
}

function headOf({ id, received_at: receivedAt, topic, replayed_at: replayedAt, replays }: Letter): string {
  const fate =
    replayedAt === null ? (replays > 0 ? `, tried again ${replays} times` : '') : `, taken ${replayedAt}`;
  return `${id}  ${receivedAt}  ${clean(topic)}${fate}`;
}

/** What a device sent must not move the cursor or colour the terminal. */
const clean = (text: string): string =>
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD');
