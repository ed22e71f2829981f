// RFID readers on TCP and serial lines: a tag becomes an envelope with the animal and the stall, and the connector joins it to the milking.
import { isDeepStrictEqual } from 'node:util';
import { bounded } from '../../contract/runtime/boundary.ts';
import type { Envelope } from '../../contract/envelope.ts';
import type { DeviceAddress, Protocol, Running, Services } from '../shared/protocol.ts';
import { createDebounce, decide, type Field } from './debounce.ts';
import { openLine } from './line-source.ts';
import { createLineCutter, parseLine } from './line.ts';
import { resolveSection, sectionSchema, type Reader, type Section, type Settings } from './section.ts';

export const protocol: Protocol<Section, Settings> = {
  name: 'rfid',
  schema: sectionSchema,
  resolve: resolveSection,
  start: startRfid,
};

const longestVisitMs = 1_800_000;
/** Lines in a row that are no tag, after which the reader is reported: wrong baud rate, wrong device. */
const nonsenseLimit = 20;

interface RunningReader {
  reader: Reader;
  address: DeviceAddress;
  stop: () => void;
}

function startRfid(initial: Settings, services: Services): Running<Settings> {
  let readers = initial.readers.map((reader) => startReader(reader, services));
  return {
    reload: (next) => {
      const kept = readers.filter(({ reader }) =>
        next.readers.some((wanted) => isDeepStrictEqual(wanted, reader)),
      );
      for (const gone of readers.filter((entry) => !kept.includes(entry))) {
        gone.stop();
        if (!next.readers.some(({ uid }) => uid === gone.reader.uid)) services.forget(gone.address);
      }
      const added = next.readers.filter(
        (wanted) => !kept.some(({ reader }) => isDeepStrictEqual(wanted, reader)),
      );
      readers = [...kept, ...added.map((reader) => startReader(reader, services))];
      return Promise.resolve();
    },
    stop: () => {
      for (const { stop } of readers) stop();
      return Promise.resolve();
    },
  };
}

function startReader(reader: Reader, services: Services): RunningReader {
  const { logger } = services;
  const address: DeviceAddress = { farm: services.farm, deviceType: 'rfid_reader', deviceUid: reader.uid };
  const options = { allowTest: reader.allow_test, antenna: reader.antenna, bitOrder: reader.bit_order };
  const labels = { reader: reader.uid };
  const fields = new Map<string, Field>();
  const debounce = createDebounce(reader.quiet_ms, longestVisitMs);
  const timers = new Set<NodeJS.Timeout>();
  let nonsense = 0;

  const publish = (tag: string, stall: string | undefined, at: number) => {
    const envelope: Envelope = {
      v: 1,
      at: new Date(at).toISOString(),
      points: [],
      animal: { rfid: tag },
      ...(stall === undefined ? {} : { stall }),
    };
    services.count('rfid_tags_total', labels);
    services
      .publish(address, envelope)
      .catch((error: unknown) => logger.error({ error }, 'tag not published'));
  };

  /** The settling time of an antenna is over. */
  const settle = (antenna: string) => {
    const field = fields.get(antenna);
    fields.delete(antenna);
    if (field === undefined) return;
    const stall = reader.stalls[antenna] ?? reader.stall;
    const decisions = decide(field.reads);
    if (decisions.length > 1) services.count('rfid_double_reads_total', labels);
    if (!decisions.some(({ here }) => here))
      services.report(
        address,
        'degraded',
        `several animals at once${stall === undefined ? '' : ` at stall ${stall}`}: not told apart`,
      );
    for (const { tag, here } of decisions)
      if (debounce.isNews(`${antenna} ${tag} ${here}`, field.at))
        publish(tag, here ? stall : undefined, field.at);
  };

  const onLine = (line: string) => {
    const read = parseLine(line, options);
    if (read.kind === 'other') {
      services.count('rfid_lines_ignored_total', labels);
      logger.debug({ reader: reader.uid, reason: read.reason }, 'line ignored');
      if (++nonsense === nonsenseLimit)
        services.report(address, 'degraded', `sends lines that are no tags: ${read.reason}`);
      return;
    }
    if (nonsense >= nonsenseLimit) services.report(address, 'online');
    nonsense = 0;
    if (read.kind === 'unread') return services.count('rfid_unread_total', labels);
    const antenna = read.antenna ?? '';
    const field = fields.get(antenna);
    if (field !== undefined) return void field.reads.set(read.tag, (field.reads.get(read.tag) ?? 0) + 1);
    fields.set(antenna, { at: Date.now(), reads: new Map([[read.tag, 1]]) });
    const onSettled = () => {
      timers.delete(timer);
      settle(antenna);
    };
    const timer = setTimeout(bounded(logger, 'reading of a tag', onSettled), reader.settle_ms);
    timers.add(timer);
  };

  let cut = createLineCutter(onLine);
  const stopLine = openLine(reader, {
    onText: (text) => cut(text),
    onOpen: () => {
      // Half a line of the last connection belongs to nothing.
      cut = createLineCutter(onLine);
      nonsense = 0;
      services.report(address, 'online');
    },
    onClose: (reason) => services.report(address, 'offline', reason),
    logger,
  });
  return {
    reader,
    address,
    stop: () => {
      stopLine();
      for (const timer of timers) clearTimeout(timer);
      for (const antenna of [...fields.keys()]) settle(antenna);
    },
  };
}
