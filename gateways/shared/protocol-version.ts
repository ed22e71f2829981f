// MQTT 5, because only its broker says what it refuses; 3.1.1 where a broker knows nothing else. Pure.

export interface VersionChoice {
  version(): 4 | 5;
  /** The broker has refused a connection with this reason code; true when the next try is another version. */
  refused(code: unknown): boolean;
  /** A connection ended before the broker had said anything. */
  silent(): void;
  /** A connection that was good has ended: the broker may come back as another one. */
  ended(): void;
}

/** "Unacceptable protocol version" of 3.1.1, "unsupported protocol version" and "protocol error" of 5. */
const versionCodes: readonly unknown[] = [1, 0x84, 0x82];
/** Old brokers hang up without a word. */
const silentLimit = 3;

/** Begins with 5. */
export function createVersionChoice(): VersionChoice {
  let version: 4 | 5 = 5;
  let silences = 0;
  return {
    version: () => version,
    refused: (code) => {
      const isOther = version === 5 && versionCodes.includes(code);
      if (isOther) version = 4;
      return isOther;
    },
    silent: () => {
      if (++silences % silentLimit === 0) version = version === 5 ? 4 : 5;
    },
    ended: () => {
      version = 5;
      silences = 0;
    },
  };
}
