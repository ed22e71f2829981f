// Who may say which animal stands at a stall: a registered reader or meter, at its own stalls. No I/O.
import type { Device } from '../db/dimensions.ts';
import type { DecodedData } from '../decode/decoded.ts';
import { onlyStall, readsAt } from '../milkings/own-stall.ts';

/** A tag outside a milking: the stall that it counts for, or why it counts for none. */
export type TagClaim = { stall: string } | { refused: string };

/** What a message says about who stands at a stall; undefined where it says nothing of the kind. */
export function tagClaimOf(
  device: Device,
  { rfid, session, stall: said }: DecodedData,
): TagClaim | undefined {
  // Within a milking the tag is what the meter says of its own milk.
  if (rfid === undefined || session !== undefined) return undefined;
  const isReader = device.deviceType === 'rfid_reader' || device.deviceType === 'milk_meter';
  // The tag of a collar or a feeder says whose the values are, wherever the device hangs.
  const stall = said ?? (isReader ? onlyStall(device.stall) : null);
  if (stall === null) return undefined;
  const reason = isReader ? refusalOf(device, stall) : `is no tag reader but a ${device.deviceType}`;
  if (reason === undefined) return { stall };
  return {
    refused: `tag ${rfid} does not count for stall ${stall}: ${device.farm}/${device.deviceUid} ${reason}`,
  };
}

function refusalOf({ state, stall: registered }: Device, stall: string): string | undefined {
  const how = `in Odoo or under devices in config/connector.yaml, with its stall: '${stall}', several as 'A, B', or '*' for every stall of the farm`;
  if (state !== 'registered') return `is not registered; register it ${how}`;
  if (readsAt(registered, stall)) return undefined;
  return `is registered for ${registered === null ? 'no stall' : `stall ${registered}`}; if it reads there, enter it ${how}`;
}
