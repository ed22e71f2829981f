// CoAP intake for small sensors: POST coap://host/v1/data?token=… with the same contract as HTTP. One datagram, no blocks.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { bounded } from '../../contract/runtime/boundary.ts';
import { messageOf } from '../../contract/errors.ts';
import { matchesToken } from '../shared/http.ts';
import { checkIntake, intakeDeviceSchema, takeIn, type IntakeDevice } from '../shared/intake.ts';
import type { Protocol, Running, Services } from '../shared/protocol.ts';
import { encodeMessage, kinds, parseMessage, post, type CoapRequest } from './message.ts';

const sectionSchema = z
  .strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe("Address to listen on. The token travels in the clear: only for a farm's own network"),
    port: z.coerce.number().int().min(0).max(65_535).default(5683).describe('UDP'),
    devices: z.array(intakeDeviceSchema).min(1).describe('Who may send'),
  })
  .describe('CoAP intake for small sensors: POST /v1/data?token=…');
type Section = z.infer<typeof sectionSchema>;

export const protocol: Protocol<Section, Section> = {
  name: 'coap',
  schema: sectionSchema,
  resolve: (section, site) => {
    checkIntake(section.devices, site);
    return section;
  },
  start: startCoapIntake,
};

/** CoAP's codes for what HTTP would answer. */
const codes = {
  202: '2.04',
  400: '4.00',
  401: '4.01',
  402: '4.02',
  403: '4.03',
  404: '4.04',
  503: '5.03',
} as const;
interface Answer {
  status: keyof typeof codes;
  error?: string;
}

/** A message repeated within this time is answered as the first time (RFC 7252, EXCHANGE_LIFETIME). */
const exchangeMs = 247_000;
const rememberedExchanges = 10_000;
const retryMs = 5000;

async function answerTo(
  request: CoapRequest,
  devices: readonly IntakeDevice[],
  services: Services,
): Promise<Answer> {
  if (request.badOption !== undefined)
    return { status: 402, error: `option ${request.badOption} is not understood` };
  const [version, kind, uid, last] = request.path;
  const isShort = request.path.length === 2 && kind === 'data';
  const isLong = request.path.length === 4 && kind === 'devices' && last === 'data';
  if (version !== 'v1' || (!isShort && !isLong) || request.code !== post)
    return { status: 404, error: 'POST /v1/data expected' };
  const token = request.query.find((part) => part.startsWith('token='))?.slice(6) ?? '';
  const device =
    devices[
      matchesToken(
        token,
        devices.map((known) => known.token),
      )
    ];
  if (device === undefined) {
    services.count('intake_denied_total');
    return { status: 401, error: 'wrong or missing token' };
  }
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.payload));
  } catch (error) {
    return { status: 400, error: messageOf(error) };
  }
  return takeIn(body, { device, uid: isLong ? uid : undefined, services });
}

type OnDatagram = (socket: Socket, bytes: Uint8Array, peer: RemoteInfo) => void;

/** Answers datagrams; one that is repeated as the first time. */
function createExchange(services: Services, answer: (request: CoapRequest) => Promise<Answer>): OnDatagram {
  const exchanges = new Map<string, { at: number; answer: Promise<Answer> }>();
  return (socket, bytes, peer) => {
    const request = parseMessage(bytes);
    if (request === undefined) return services.count('coap_unreadable_total');
    const { kind, id, token } = request;
    if (kind !== kinds.confirmable && kind !== kinds.nonConfirmable) return;
    const send = (message: Parameters<typeof encodeMessage>[0]) => {
      const notSent = (error: unknown) =>
        services.logger.debug({ error: messageOf(error) }, 'coap answer not sent');
      // A socket closed by now, and a datagram from port 0, which nothing can be sent to, throw at once.
      try {
        socket.send(encodeMessage(message), peer.port, peer.address, (error) => {
          if (error !== null) notSent(error);
        });
      } catch (error) {
        notSent(error);
      }
    };
    // An empty confirmable message is a ping.
    if (request.code === 0)
      return send({ kind: kinds.reset, code: '0.00', id, token: new Uint8Array(), text: '' });
    const key = `${peer.address} ${peer.port} ${id}`;
    const now = performance.now();
    for (const [old, { at }] of exchanges) {
      if (now - at < exchangeMs && exchanges.size < rememberedExchanges) break;
      exchanges.delete(old);
    }
    const exchange = exchanges.get(key) ?? { at: now, answer: answer(request) };
    exchanges.set(key, exchange);
    const back = kind === kinds.confirmable ? kinds.acknowledgement : kinds.nonConfirmable;
    exchange.answer.then(
      ({ status, error = '' }) =>
        send({ kind: back, code: codes[status], id, token, text: error.slice(0, 200) }),
      (error: unknown) => {
        services.logger.error({ error: messageOf(error) }, 'coap intake: request failed');
        send({ kind: back, code: '5.00', id, token, text: '' });
      },
    );
  };
}

function startCoapIntake(initial: Section, services: Services): Running<Section> {
  const { logger } = services;
  let section = initial;
  const onMessage = createExchange(services, (request) => answerTo(request, section.devices, services));

  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const open = (): Socket => {
    const { host, port } = section;
    const opened = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const take = (bytes: Buffer, peer: RemoteInfo) => onMessage(opened, bytes, peer);
    opened.on('message', bounded(logger, 'coap datagram', take));
    const onError = (error: Error) => {
      if (opened !== socket || closed) return;
      services.trouble('coap intake', `coap intake on ${host}:${port}: ${messageOf(error)}`);
      logger.error({ error: messageOf(error) }, 'coap intake cannot listen, trying on');
      opened.close();
      timer = setTimeout(openAgain, retryMs);
    };
    opened.on('error', bounded(logger, 'coap intake', onError));
    opened.bind(port, host, () => {
      services.trouble('coap intake', undefined);
      logger.info({ host, port: opened.address().port }, 'coap intake listens');
    });
    return opened;
  };
  const openAgain = bounded(logger, 'coap intake', () => (socket = open()));
  const close = () => {
    clearTimeout(timer);
    try {
      socket.close();
    } catch {
      // Closed already after an error.
    }
  };
  let socket = open();
  return {
    reload: (next) => {
      const isSamePlace = isDeepStrictEqual([section.host, section.port], [next.host, next.port]);
      section = next;
      if (!isSamePlace) {
        close();
        socket = open();
      }
      return Promise.resolve();
    },
    stop: () => {
      closed = true;
      close();
      services.trouble('coap intake', undefined);
      return Promise.resolve();
    },
  };
}
