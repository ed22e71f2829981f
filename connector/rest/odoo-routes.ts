// What Odoo calls: signed calls of the addon, webhook actions with their secret address; and for people how the two agree.
import { isSameSecret } from '../../contract/runtime/secret.ts';
import * as z from 'zod';
import { storeEvent } from '../db/odoo-events.ts';
import { pullKindSchema, withDeletions, type PullKind } from '../db/pulled/index.ts';
import { odooDeviceRoutes, type OdooDeviceDesk } from './odoo-device-routes.ts';
import { odooOutboxRoutes, type OdooOutboxDesk } from './odoo-outbox-routes.ts';
import { odooPeopleRoutes, type OdooPeopleDesk } from './odoo-people-routes.ts';
import { signedRoute } from './odoo-signed.ts';
import { noSuch } from './problem.ts';
import { route, type Route } from './route.ts';

/** What these routes work with. */
export interface OdooDesk extends OdooDeviceDesk, OdooOutboxDesk, OdooPeopleDesk {
  hookToken: string;
  wake: (kinds: readonly PullKind[]) => void;
  /** Works on stored webhook events soon. */
  onEvent: () => void;
  rotateKey: () => Promise<Date | undefined>;
}

const hookSchema = z.looseObject({
  _model: z.string().max(128),
  _id: z.int().optional(),
  _action: z.string().optional(),
});
const acceptedSchema = z.strictObject({ accepted: z.literal(true) });

/** The routes. */
export function odooRoutes(desk: OdooDesk): Route[] {
  return [
    signedRoute(desk, {
      path: 'notify',
      summary: 'Records of a kind have changed in Odoo',
      body: z.looseObject({ kind: pullKindSchema, ids: z.array(z.int()).optional() }),
      example: { kind: 'animal', ids: [12] },
      answer: acceptedSchema,
      status: 202,
      handle: ({ kind }) => {
        desk.wake(withDeletions([kind]));
        return Promise.resolve({ accepted: true });
      },
    }),
    ...odooDeviceRoutes(desk),
    ...odooOutboxRoutes(desk),
    signedRoute(desk, {
      path: 'key/rotate',
      summary: 'Lets the connector fetch a new API key',
      body: z.strictObject({}),
      example: {},
      answer: z.strictObject({ expires: z.iso.datetime().nullable() }),
      handle: async () => ({ expires: (await desk.rotateKey()) ?? null }),
    }),
    hookRoute(desk),
    ...odooPeopleRoutes(desk),
  ];
}

function hookRoute(desk: Pick<OdooDesk, 'db' | 'hookToken' | 'onEvent'>): Route {
  return route({
    method: 'post',
    path: '/api/v1/odoo/hook/{token}',
    tag: 'Odoo',
    summary: 'For webhook actions of Odoo: JSON as Odoo sends it, answered at once and worked on afterwards',
    open: true,
    authenticate({ params }) {
      // As if it did not exist: the address is the secret.
      const { token } = params;
      if (desk.hookToken === '' || typeof token !== 'string' || !isSameSecret(token, desk.hookToken))
        throw noSuch('token', 'there is no such hook: see odoo.hook_token');
    },
    params: z.strictObject({ token: z.string() }),
    body: hookSchema,
    answer: acceptedSchema,
    status: 202,
    example: { params: { token: '$CONNECTOR_HOOK_TOKEN' }, body: { _model: 'farm.animal', _id: 12 } },
    async handle({ body }) {
      await storeEvent(desk.db, { model: body._model, recordId: body._id ?? null, payload: body });
      desk.onEvent();
      return { accepted: true };
    },
  });
}
