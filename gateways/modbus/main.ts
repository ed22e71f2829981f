// The Modbus gateway's process: node gateways/modbus/main.ts [--config config/gateway.yaml]
import { parseArgs } from 'node:util';
import { createLogger } from '../../contract/runtime/logger.ts';
import { runMain } from '../../contract/runtime/shutdown.ts';
import { loadGatewayConfig } from './config.ts';
import { startGateway } from './gateway.ts';

const logger = createLogger('gateway-modbus');

runMain(logger, (shutdown) => {
  const { values } = parseArgs({ options: { config: { type: 'string', default: 'config/gateway.yaml' } } });
  const config = loadGatewayConfig(values.config, process.env);
  const gateway = startGateway(config, logger);
  shutdown.onRelease('gateway', () => gateway.stop());
  const devices = config.buses.reduce((sum, bus) => sum + bus.devices.length, 0);
  logger.info({ farm: config.farm, gateway: config.uid, buses: config.buses.length, devices }, 'polling');
  return Promise.resolve();
});
