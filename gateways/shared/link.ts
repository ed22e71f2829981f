// The connection to a broker, as the parts of a gateway use it.
import type { Logger } from '../../contract/runtime/logger.ts';
import type { OnMessage } from './subscriptions.ts';

export interface LinkOptions {
  url: string;
  username: string | undefined;
  password: string | undefined;
  clientId: string;
  /** What the broker says for us, retained, when we are gone without a goodbye. */
  will?: { topic: string; payload: string };
  /** The broker keeps what comes for our subscriptions while we are away. */
  keepSession?: boolean;
  logger: Logger;
}

export interface Link {
  isReady(): boolean;
  /**
   * Publishes with QoS 1. `settle` is called once: with the broker's answer (also when that comes after a reconnect), or
   * 'unsent' when the message has to be sent again. Only while ready.
   */
  publish(topic: string, payload: string, settle: (how: Settlement) => void): void;
  /** Sets a retained message; only the latest one of a topic is sent, and again after every reconnect. */
  retain(topic: string, payload: string): void;
  /** Not retained, not kept while the broker is away. */
  say(topic: string, payload: string): void;
  /** Subscribes now and after every reconnect. A message is acknowledged when `onMessage`, and what it promises, is done. */
  subscribe(filter: string, onMessage: OnMessage): void;
  onReady(listener: () => void): void;
  /** Told of what only people can mend, by a key; undefined when it is mended: refused topics, another client with our id. */
  onTrouble(listener: (what: string, detail: string | undefined) => void): void;
  counts(): { refused: number; takenOver: number };
  /** Says the last retained messages if there is a connection, and disconnects. */
  close(): Promise<void>;
}

/** A broker of MQTT 3.1.1 acknowledges what it refuses, too. */
export type Settlement = 'acknowledged' | 'unsent' | { refused: string };
