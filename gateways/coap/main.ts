// The CoAP intake's process: node gateways/coap/main.ts [--config config/gateway.yaml]
import { runGateway } from '../shared/process.ts';
import { protocol } from './protocol.ts';

runGateway('gateway-coap', [protocol]);
