// An Odoo that does not start.
import { messageOf } from '../../../../contract/errors.ts';
import { isPortFree } from '../ports.ts';
import type { Instance, ManagedService, Report, Settings } from '../types.ts';

const odooPauseMs = 30_000;

/** In the demo an Odoo that does not start keeps nobody from milking: records wait, and it is tried again. */
export async function startOdoo(
  odoo: ManagedService,
  instance: Pick<Instance, 'name'>,
  { ports }: Pick<Settings, 'ports'>,
  report: Report,
): Promise<void> {
  try {
    await odoo.start();
  } catch (error) {
    // On a port that is lost everything starts anew.
    if (instance.name !== 'demo' || !(await isPortFree(ports.odoo))) throw error;
    report(`Odoo does not start, and is tried again: ${messageOf(error)}`);
    const timer = setInterval(() => {
      odoo.start().then(
        () => clearInterval(timer),
        (again: unknown) => console.error(messageOf(again)),
      );
    }, odooPauseMs);
    timer.unref();
  }
}
