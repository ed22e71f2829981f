// What a protocol has to be: gateways/<name>/protocol.ts exports one as `protocol`, and `<name>:` is its section in gateway.yaml.
import type * as z from 'zod';
import type { Envelope } from '../../contract/envelope.ts';
import type { MetricCatalogue } from '../../contract/metrics.ts';
import type { Profile } from '../../contract/profile.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { TopicAddress } from '../../contract/topics.ts';
import type { Command } from '../../contract/commands.ts';

/** A device's place in the topics. */
export type DeviceAddress = Omit<TopicAddress, 'messageType'>;

/** What the shared part of gateway.yaml says, for resolving a section. */
export interface Site {
  farm: string;
  /** Uid of the gateway itself. */
  gateway: string;
  /** Density of milk, for meters that count litres. */
  kgPerLitre: number;
  /** A device that has nothing new publishes this often. */
  heartbeatMs: number;
  profiles: ReadonlyMap<string, Profile>;
  catalogue: MetricCatalogue;
  /** Reports a problem at a path in the section; all of them together refuse the file. */
  complain(path: readonly (string | number)[], message: string): void;
  /** Claims a device uid; complains at `path` when another device has it. */
  claim(uid: string, path: readonly (string | number)[]): void;
}

/** A command's outcome, as published. `rejected` and `failed` say why. */
export interface Outcome {
  result: 'done' | 'rejected' | 'failed';
  detail?: string;
  value?: number | string | boolean;
}

/** What a running protocol may use. The same for the whole life of the protocol. */
export interface Services {
  logger: Logger;
  /** The farm's code and the gateway's own uid. */
  farm: string;
  gateway: string;
  /**
   * Publishes on `…/data`, through the spool. `envelope.at` is the moment of reading in epoch milliseconds or ISO 8601; points
   * get quality 3 while the clock is not synchronised. `remember` becomes durable together with it. Resolves true when it
   * is on the disk. Never rejects.
   */
  publish(
    address: DeviceAddress,
    envelope: Envelope,
    remember?: readonly [key: string, value: unknown],
  ): Promise<boolean>;
  /** Publishes anything on a topic, through the spool. */
  publishRaw(topic: string, payload: string): Promise<boolean>;
  /** What was remembered under a key, also by an earlier process; undefined if nothing. */
  recall(key: string): unknown;
  remember(key: string, value: unknown): void;
  /** Retained device state; repeated ones cost nothing. */
  report(address: DeviceAddress, state: 'online' | 'degraded' | 'offline', detail?: string): void;
  /** The device left the configuration: its retained state becomes offline. */
  forget(address: DeviceAddress): void;
  /** Something that many devices share is down (a bus, a radio gateway): part of the gateway's own state; undefined clears it. */
  trouble(what: string, detail: string | undefined): void;
  /** Executes `…/commands` of a device; at most one at a time per device. Returns the way to stop that. */
  onCommand(
    address: DeviceAddress,
    execute: (command: Command, signal: AbortSignal) => Promise<Outcome>,
  ): () => void;
  /** Adds to a counter or sets a gauge of the metrics page: `gateway_<name>{labels}`. */
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void;
  gauge(name: string, labels: Readonly<Record<string, string>>, value: number): void;
}

/** A protocol that runs. */
export interface Running<Settings> {
  /** Takes new settings; touches only what differs from the old ones. */
  reload(settings: Settings): Promise<void>;
  stop(): Promise<void>;
}

export interface Protocol<Section = unknown, Settings = unknown> {
  /** Key of its section, and name of its folder. */
  name: string;
  /** Strict schema of the section. */
  schema: z.ZodType<Section>;
  /** Section to settings: looks up profiles, claims uids, complains. No I/O. */
  resolve(section: Section, site: Site): Settings;
  /** Starts. Nothing outside has to answer yet. */
  start(settings: Settings, services: Services): Running<Settings>;
}
