// Tells listeners of committed records, each kind under the type of its descriptor.
import type { CommandRow } from '../db/commands.ts';
import type { PublishedMilking } from '../ingest/publish-milkings.ts';
import { mappings, type LiveKind } from '../odoo/mapping/index.ts';
import type { LiveHub } from './hub.ts';

/** Who is told what was committed. Odoo's way is the outbox, woken by the database's NOTIFY. */
export interface LiveRecords {
  milkings: (published: readonly PublishedMilking[]) => void;
  /** Commands to devices came further. */
  commands: (changed: readonly CommandRow[]) => void;
}

/** Tells the listeners of a hub. */
export function tellLive(hub: Pick<LiveHub, 'broadcast'>): LiveRecords {
  const tell = (kind: LiveKind, record: object) => hub.broadcast({ type: mappings[kind].live, ...record });
  return {
    milkings(published) {
      for (const { source_id, revision, record } of published)
        tell('milk_session', { source_id, revision, record });
    },
    commands(changed) {
      for (const command of changed) tell('command', command);
    },
  };
}
