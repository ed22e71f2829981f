// The RFID gateway's process: node gateways/rfid/main.ts [--config config/gateway.yaml]
import { runGateway } from '../shared/process.ts';
import { protocol } from './protocol.ts';

runGateway('gateway-rfid', [protocol]);
