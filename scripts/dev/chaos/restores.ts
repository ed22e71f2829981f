// Restores of either side: a database is set back to a copy that is some seconds old, under load.
import { pause, type Scene } from './scene.ts';
import { signalService } from './services.ts';

/**
 * The connector's database, with the connector stopped. What was stored between copy and restore is gone; the devices that date
 * their messages send it again, as a gateway's backlog does, with some of what was in the copy.
 */
export async function restoreDatabase(scene: Scene): Promise<void> {
  const { load, sender, stored, connectors, databaseCopies, report } = scene;
  await stored.caughtUp();
  await databaseCopies.save();
  await pause(scene, 8, 20);
  await connectors.kill();
  const [before, sameBefore] = [await stored.since(0), await stored.same()];
  await databaseCopies.setBack();
  const [after, sameAfter] = [await stored.since(0), await stored.same()];
  const gone = load.sent.filter(({ n }) => before.has(n) && !after.has(n));
  const from = gone[0]?.n ?? load.sent.length;
  const since = load.sent.slice(from);
  for (const message of gone) if (!message.timed || message.kind === 'poison') message.gone = true;
  // Nobody can tell which of the equal ones, nor which versions of a milking.
  const equal = since.filter(({ kind, unsure, gone }) => kind === 'same' && !unsure && !gone);
  for (const message of equal.slice(0, sameBefore - sameAfter)) message.gone = true;
  for (const message of since) if (message.kind === 'record') message.gone = true;
  const again = since.filter(({ timed, kind, acknowledged }) => timed && kind !== 'poison' && acknowledged);
  report(`${gone.length} messages went with the database; the devices send ${again.length} again`);
  await connectors.start();
  for (const message of again) sender.queue(message);
}

/** Odoo's database, while Odoo and the connector work; then Odoo starts anew. */
export async function restoreOdoo(scene: Scene): Promise<void> {
  await scene.stored.caughtUp();
  await scene.odooCopies.save();
  await pause(scene, 8, 20);
  await scene.odooCopies.setBack();
  await signalService(scene.daemonPid, 'odoo', 'SIGKILL');
}
