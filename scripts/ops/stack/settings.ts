// The settings of an instance at the moment before its services start: secrets made, ports free.
import { newSecrets, readSettings, writeSettings } from './instance.ts';
import { claimPort } from './port-claims.ts';
import { isPortFree, pickPorts, usual } from './ports.ts';
import type { Instance, Settings } from './types.ts';

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
  writeSettings(instance, settings);
  return settings;
}
