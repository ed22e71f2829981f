// The commented profile of `npm run profile -- new`. A test reads it as it is.

/** YAML of a Modbus profile to fill in. */
export const template = `# VENDOR MODEL. Where the register map comes from: manual and page, or who set up the site's PLC.
profile: vendor-model
# milk_meter, temperature, collar, feeder, gate, waterer, ph, flow, humidity, pressure, rfid_reader, gateway, energy
device_type: temperature
manufacturer: Vendor
model: Model
description: One sentence about what it measures and where.

modbus:
  # 1 when the manual counts registers from 1.
  address_base: 0
  # How the bytes of a 32-bit value arrive: ABCD, CDAB, BADC or DCBA. Not sure? Try \`npm run profile -- probe\`.
  word_order: ABCD
  poll_interval_ms: 5000
  # The device's limits, when they are below the specification.
  max_block: 125
  max_gap: 8
  pause_after_connect_ms: 0
  pause_between_frames_ms: 0
  # Registers that must not be touched, as the manual counts them.
  illegal: []
  # What changes slowly is read less often.
  groups:
    slow: { interval_ms: 60000 }
  registers:
    # table: holding (default), input, coil, discrete. type: uint16 (default), int16, uint32, int32, uint64, int64,
    # float32, float64, bcd16, bcd32, string (with length), bool for coils and discrete inputs.
    - { name: temperature, address: 0, type: int16, scale: 0.1, sentinels: [0x7FFF], metric: temperature, unit: Cel }
    # A counter that starts again at 0 goes on counting with rollover.
    - { name: energy, address: 10, type: uint16, rollover: 65536, metric: energy, unit: kW.h, group: slow }
    - { name: set_point, address: 20, type: int16, scale: 0.1, group: slow }
  commands:
    - { name: cool_to, register: set_point, min: 2, max: 8 }

# Real readings of your device, in the numbers of the manual, and what they mean. Tests run them.
samples:
  - name: tank at 3.6 degrees
    registers: { holding: { '0': 36, '10': 1200, '20': 40 } }
    expect:
      points:
        - { m: temperature, v: 3.6 }
        - { m: energy, v: 1200 }
`;
