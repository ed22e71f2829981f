// The connection with Odoo beside the outbox: what people keep there comes here, both sides are compared, the key stays alive.
import { messageOf } from '../../contract/errors.ts';
import type { Logger } from '../../contract/runtime/logger.ts';
import type { CommandDesk } from '../commands/desk.ts';
import { pullNews, tellPull } from '../db/news.ts';
import { unbindDatabase } from '../db/odoo-binding.ts';
import { requestFullPass } from '../db/odoo-sync.ts';
import { pullKinds, type PullKind } from '../db/pulled/index.ts';
import type { OdooClient } from '../odoo/transport.ts';
import { odooRoutes } from '../rest/odoo-routes.ts';
import { HttpError } from '../rest/problem.ts';
import { createComparison, registerComparisonGauge } from '../sync/comparison.ts';
import { createEventWorker } from '../sync/event-worker.ts';
import { createSyncWorker } from '../sync/worker.ts';
import type { Context, Feature } from './context.ts';
import type { OdooAccess } from './odoo-client.ts';
import { keepKey, registerKeyGauge } from './odoo-key.ts';
import type { Turn } from './standby.ts';

/** What the link needs. */
export interface OdooLinkContext extends Pick<Context, 'config' | 'db' | 'library' | 'metrics'> {
  access: OdooAccess;
  /** Whether our addons are in Odoo; without them there is nothing to pull and nothing to compare. */
  hasAddons: boolean;
  commands: CommandDesk;
  turn: Pick<Turn, 'isMine'>;
}

/** The link. Its news: the connector that pulls listens, Odoo may have called another one. */
export interface OdooLink extends Feature {
  /** What people should know although records get through: the key ends, nothing can be pulled. */
  warnings: () => string[];
  start(): void;
}

/** What works only with our addons in Odoo. */
type Linked = ReturnType<typeof withAddons>;

/** Makes the link; nothing runs before start(). */
export function createOdooLink(context: OdooLinkContext, logger: Logger): OdooLink {
  const { db, library, access, hasAddons } = context;
  const config = context.config.odoo;
  const { registry } = context.metrics;
  const linked =
    access.client === undefined || !hasAddons ? undefined : withAddons(context, access.client, logger);
  registerComparisonGauge(registry, db);
  registerKeyGauge(registry, linked?.keeper.status);

  const wake = (kinds: readonly PullKind[]) => tellPulling(context, kinds, logger);
  const events = createEventWorker({ db, wake, registry, logger });
  const needed = (): Linked => {
    if (linked !== undefined) return linked;
    const reason =
      config.url === '' ? 'ODOO_URL is not set' : 'our addons are not in this Odoo (addons: false)';
    throw new HttpError(409, reason);
  };

  return {
    routes: odooRoutes({
      db,
      commands: context.commands,
      profileOf: (name) => library.profiles.get(name),
      secret: config.secret,
      hookToken: config.hook_token,
      wake,
      async resync() {
        needed();
        await requestFullPass(db, pullKinds);
        wake(pullKinds);
      },
      async connectAnew() {
        needed();
        await unbindDatabase(db);
        await requestFullPass(db, pullKinds);
        wake(pullKinds);
      },
      onEvent: events.wake,
      rotateKey: async () => needed().keeper.rotate(),
      reconcile: async (days) => needed().comparison.run(days),
    }),
    jobs: [...events.jobs, ...(linked?.jobs ?? [])],
    news: linked?.news ?? [],
    warnings: () => linked?.warnings() ?? [],
    start() {
      linked?.start();
      events.wake();
    },
    async stop() {
      await linked?.sync.stop();
      await events.stop();
    },
  };
}

/** Pulling, comparing and the key. */
function withAddons(context: OdooLinkContext, client: OdooClient, logger: Logger) {
  const { db, library, access, turn } = context;
  const config = context.config.odoo;
  const { registry } = context.metrics;
  const sync = createSyncWorker({
    db,
    client,
    logger,
    registry,
    pollMs: config.pull_seconds * 1000,
    pageSize: 1_000,
    knowsProfile: (name) => library.profiles.has(name),
    isMyTurn: turn.isMine,
  });
  const comparison = createComparison({ db, client, registry, logger });
  const keeper = keepKey(config, { client, keys: access.keys, db, logger });
  return {
    sync,
    comparison,
    keeper,
    jobs: [
      ...comparison.jobs,
      { name: 'end of the API key', cron: '0 7 * * * *', run: () => keeper.check() },
    ],
    news: [pullNews((kinds) => sync.wake(kinds))],
    warnings(): string[] {
      const pulled = sync.status();
      const pull = pulled.failed ? `cannot pull from Odoo: ${pulled.detail}` : undefined;
      return [keeper.status().warning, pull].filter((text) => text !== undefined);
    },
    start() {
      sync.start();
      keeper.check().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'key check failed'));
    },
  };
}

/** Tells whoever pulls. */
export function tellPulling({ db }: Pick<Context, 'db'>, kinds: readonly PullKind[], logger: Logger): void {
  tellPull(db, kinds).catch((error: unknown) =>
    logger.warn({ error: messageOf(error), kinds }, 'news of Odoo come with the next poll'),
  );
}
