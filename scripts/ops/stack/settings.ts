// The settings of an instance at the moment before its services start: secrets made, ports free.
import { isDeepStrictEqual } from 'node:util';
import { newSecrets, readSettings, writeSettings } from './instance.ts';
import { claimPort } from './port-claims.ts';
import { isPortFree, pickPorts, usual } from './ports.ts';
import type { Instance, Report, Settings } from './types.ts';

/** Reads, completes and writes them. With `keepPorts` the remembered ports stay although they are in use: by us. */
export async function prepareSettings(
  instance: Instance,
  { keepPorts }: { keepPorts: boolean },
): Promise<Settings> {
  const known = readSettings(instance);
  const isFree = async (port: number): Promise<boolean> =>
    (await isPortFree(port)) && claimPort(port, instance.daemonFile);
  const ports =
    known !== undefined && keepPorts
      ? // A settings file from before a port was needed lacks it.
        { ...usual(instance.name), ...known.ports }
      : await pickPorts(usual(instance.name), known?.ports, isFree);
  const settings: Settings = { secrets: newSecrets(), ...known, ports };
  // Not without need: when the disk is full, services of before still start.
  if (!isDeepStrictEqual(settings, known)) writeSettings(instance, settings);
  return settings;
}

const attempts = 3;

/** Does `work`, and again on other ports when it fails because another program has taken one of ours meanwhile. */
export async function onOtherPorts<T>(
  instance: Instance,
  work: () => Promise<T>,
  report: Report,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isLast = signal?.aborted === true || attempt === attempts;
      const lost = isLast ? [] : await lostPorts(instance);
      if (lost.length === 0) throw error;
      report(`another program has taken port ${lost.join(' and port ')}: starting again on other ports`);
    }
  }
}

/** Ports of ours that somebody has although all of ours is ended. */
async function lostPorts(instance: Instance): Promise<number[]> {
  const lost: number[] = [];
  for (const port of Object.values(readSettings(instance)?.ports ?? {}))
    if (!(await isPortFree(port))) lost.push(port);
  return lost;
}
