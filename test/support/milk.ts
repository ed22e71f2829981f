// Messages that tests publish, in the customer's shapes.

/** A finished milking as in the customer's first document. */
export function milkRecord(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    device_id: 'meter_001',
    timestamp: new Date(Date.now() - 60_000).toISOString(),
    session_id: 's1',
    animal_id: 'A-1',
    rfid_tag: '050000000000001',
    yield_liters: 10,
    flow_rate: 2,
    duration_seconds: 300,
    quality: {
      fat_percentage: 3.9,
      protein_percentage: 3.2,
      lactose_percentage: 4.7,
      somatic_cell_count: 145_000,
      temperature_celsius: 37.4,
    },
    equipment: { vacuum_pressure: 42.5, pulsation_rate: 60, milking_position: 'P3' },
    ...overrides,
  };
}

/** A session message as in the customer's third document. */
export function sessionMessage(
  type: 'session_start' | 'reading' | 'session_end',
  fields: Record<string, unknown>,
) {
  return { type, ...fields };
}
