// The Modbus gateway alone: node gateways/modbus/main.ts [config/gateway.yaml]
import { runGateway } from '../shared/process.ts';
import { protocol } from './protocol.ts';

runGateway('gateway-modbus', [protocol]);
