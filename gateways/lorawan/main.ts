// The LoRaWAN gateway's process: node gateways/lorawan/main.ts [--config config/gateway.yaml]
import { runGateway } from '../shared/process.ts';
import { protocol } from './protocol.ts';

runGateway('gateway-lorawan', [protocol]);
