// The moment of a ChirpStack event. A gateway's clock can be anything; the network server's is a server's. Pure.

/** A clock may be so far ahead of ours. */
const aheadMs = 60_000;
/** Our broker keeps what comes while we are away, but not for longer. */
const longestWaitMs = 30 * 86_400_000;

/**
 * When it was heard, epoch ms: by the network server (`nsTime`), else by the gateway (`time`), as far as that can be; else the
 * moment of arrival, with the doubt in words where a time was said.
 */
export function eventTime(
  { time, rxInfo = [] }: { time?: string | undefined; rxInfo?: { nsTime?: string | undefined }[] },
  arrivedAt: number,
): { at: number; doubt: string | undefined } {
  const isPlausible = (moment: number) =>
    moment <= arrivedAt + aheadMs && moment >= arrivedAt - longestWaitMs;
  const heard = rxInfo.map(({ nsTime }) => momentOf(nsTime)).filter(isPlausible);
  if (heard.length > 0) return { at: Math.min(...heard), doubt: undefined };
  const said = momentOf(time);
  if (isPlausible(said)) return { at: said, doubt: undefined };
  const doubt =
    time === undefined
      ? undefined
      : `the time ${time.slice(0, 40)} of the LoRaWAN gateway cannot be: the moment of arrival counts`;
  return { at: arrivedAt, doubt };
}

/** NaN, which is never plausible, for what is no moment. */
const momentOf = (text: string | undefined) =>
  text !== undefined && /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
