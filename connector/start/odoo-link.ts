// The connection with Odoo beside the outbox: what people keep there comes here, both sides are compared, the key stays alive.
import { Counter, Gauge, type Registry } from 'prom-client';
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { Profile } from '../../contract/profile.ts';
import type { CommandDesk } from '../commands/desk.ts';
import type { ConnectorConfig } from '../config/load.ts';
import { purgeEvents } from '../db/odoo-events.ts';
import type { NewsChannel } from '../db/listen.ts';
import { pullNews, tellPull } from '../db/news.ts';
import { requestFullPass } from '../db/odoo-sync.ts';
import type { Db } from '../db/pool.ts';
import { disagreeingDays } from '../db/reconciliation.ts';
import { setIntegrationAlert } from '../alerts/integration.ts';
import { createKeyStore } from '../odoo/key-file.ts';
import { createKeyKeeper, type KeyStatus } from '../odoo/key-keeper.ts';
import { createKeyedClient } from '../odoo/keyed-client.ts';
import type { OdooClient } from '../odoo/transport.ts';
import type { OdooDesk } from '../rest/odoo-routes.ts';
import { HttpError } from '../rest/problem.ts';
import type { Job } from '../jobs/scheduler.ts';
import { workOnEvents } from '../sync/events.ts';
import { reconcile, reconciledKinds } from '../sync/reconcile.ts';
import { pullKinds, type PullKind } from '../sync/records.ts';
import { createSyncWorker } from '../sync/worker.ts';

/** What the link needs. */
export interface OdooLinkConfig {
  config: ConnectorConfig['odoo'];
  db: Db;
  registry: Registry;
  profileOf: (name: string) => Profile | undefined;
  commands: CommandDesk;
  /** Whether our addons are in Odoo; without them there is nothing to pull and nothing to compare. */
  hasAddons: boolean;
  /** The outbox has something to send. */
  onOutbox: () => void;
  /** Of several connectors one pulls from Odoo: whether it is this one. */
  isMyTurn: () => boolean;
  logger: Logger;
}

/** The link. */
export interface OdooLink {
  client: OdooClient | undefined;
  desk: OdooDesk;
  jobs: Job[];
  /** What the connector that pulls listens to: Odoo may have called another one. */
  news: readonly NewsChannel[];
  /** What people should know although records get through: the key ends, nothing can be pulled. */
  warnings: () => string[];
  start(): void;
  stop(): Promise<void>;
}

const keepEventsDays = 30;

/** Makes the link; nothing runs before start(). Throws AppError `invalid` for an address that cannot work. */
export function createOdooLink(options: OdooLinkConfig): OdooLink {
  const { config, db, logger, registry, hasAddons } = options;
  const keys = createKeyStore(config.api_key_file, config.api_key);
  const { url, database, login, transport } = config;
  const timeoutMs = config.timeout_seconds * 1000;
  const client =
    url === '' ? undefined : createKeyedClient({ url, database, login, transport, timeoutMs }, keys);
  const linked = hasAddons ? client : undefined;

  const sync =
    linked === undefined
      ? undefined
      : createSyncWorker({
          db,
          client: linked,
          logger,
          registry,
          pollMs: config.pull_seconds * 1000,
          pageSize: 1_000,
          knowsProfile: (name) => options.profileOf(name) !== undefined,
          isMyTurn: options.isMyTurn,
        });
  const keeper =
    linked === undefined
      ? undefined
      : createKeyKeeper({
          client: linked,
          keys,
          logger,
          warnDays: config.key_warn_days,
          rotateDays: config.key_rotate_days,
          onWarning(detail) {
            setIntegrationAlert(db, detail, 'api-key').then(options.onOutbox, (error: unknown) =>
              logger.warn({ error: messageOf(error) }, 'alert about the API key not stored'),
            );
          },
        });
  const meters = linkMetrics(registry, db, keeper?.status);

  const without = () =>
    new HttpError(
      409,
      url === '' ? 'ODOO_URL is not set' : 'our addons are not in this Odoo (addons: false)',
    );
  const compare = async (days: number) => {
    if (linked === undefined) throw without();
    const lines = await reconcile({ db, client: linked, logger }, days);
    for (const { kind, requeued } of lines) if (requeued > 0) meters.requeued.inc({ kind }, requeued);
    if (lines.some(({ requeued }) => requeued > 0)) options.onOutbox();
  };

  const wake = (kinds: readonly PullKind[]) => {
    tellPull(db, kinds).catch((error: unknown) =>
      logger.warn({ error: messageOf(error), kinds }, 'news of Odoo come with the next poll'),
    );
  };

  let working: Promise<void> | undefined;
  let again = false;
  /** One at a time; an event that comes meanwhile starts another round. */
  const workOff = () => {
    again = working !== undefined;
    if (working !== undefined) return;
    working = workOnEvents({ db, wake }, logger)
      .then((counts) => {
        for (const [state, count] of Object.entries(counts)) meters.events.inc({ state }, count);
      })
      .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'webhook events wait'))
      .finally(() => {
        working = undefined;
        if (again) workOff();
      });
  };

  return {
    client,
    desk: {
      db,
      commands: options.commands,
      profileOf: options.profileOf,
      secret: config.secret,
      hookToken: config.hook_token,
      wake,
      async resync() {
        if (sync === undefined) throw without();
        await requestFullPass(db, pullKinds);
        wake(pullKinds);
      },
      onEvent: workOff,
      onRetry: options.onOutbox,
      rotateKey: () => keeper?.rotate() ?? Promise.reject(without()),
      reconcile: compare,
    },
    jobs: [
      { name: 'work on webhook events', cron: '*/30 * * * * *', run: () => Promise.resolve(workOff()) },
      { name: 'delete old webhook events', cron: '0 21 3 * * *', run: () => purgeEvents(db, keepEventsDays) },
      ...(linked === undefined
        ? []
        : [
            { name: 'compare with Odoo', cron: '0 43 * * * *', run: () => compare(3) },
            { name: 'compare five weeks with Odoo', cron: '0 13 2 * * *', run: () => compare(35) },
            {
              name: 'end of the API key',
              cron: '0 7 * * * *',
              run: () => keeper?.check() ?? Promise.resolve(),
            },
          ]),
    ],
    news: sync === undefined ? [] : [pullNews((kinds) => sync.wake(kinds))],
    warnings() {
      const pulled = sync?.status();
      const pull = pulled?.failed === true ? `cannot pull from Odoo: ${pulled.detail}` : undefined;
      return [keeper?.status().warning, pull].filter((text) => text !== undefined);
    },
    start() {
      sync?.start();
      keeper?.check().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'key check failed'));
      workOff();
    },
    async stop() {
      await sync?.stop();
      again = false;
      await working;
    },
  };
}

function linkMetrics(registry: Registry, db: Db, key: (() => KeyStatus) | undefined) {
  const registers = [registry];
  new Gauge({
    name: 'smart_dairy_odoo_disagreeing_days',
    help: 'Days on which database and Odoo did not agree when last compared, by kind',
    labelNames: ['kind'],
    registers,
    async collect() {
      for (const kind of reconciledKinds) this.set({ kind }, 0);
      for (const { kind, days } of await disagreeingDays(db).catch(() => [])) this.set({ kind }, days);
    },
  });
  new Gauge({
    name: 'smart_dairy_odoo_key_expires_seconds',
    help: 'When the API key for Odoo ends, as epoch seconds',
    registers,
    collect() {
      const expires = key?.().expires;
      if (expires !== undefined) this.set(expires.getTime() / 1000);
    },
  });
  return {
    requeued: new Counter({
      name: 'smart_dairy_odoo_requeued_total',
      help: 'Records that the comparison sent again, by kind',
      labelNames: ['kind'],
      registers,
    }),
    events: new Counter({
      name: 'smart_dairy_odoo_events_total',
      help: 'Webhook events of Odoo by what became of them',
      labelNames: ['state'],
      registers,
    }),
  };
}
