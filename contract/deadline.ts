// Work with a limit of time.

/** What `work` brings; after `ms` without it what `late` returns or throws. The work itself goes on: nobody waits for it any more. */
export async function within<T, Late>(ms: number, work: Promise<T>, late: () => Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const cap = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))).then(late);
  try {
    return await Promise.race([work, cap]);
  } finally {
    clearTimeout(timer);
  }
}
