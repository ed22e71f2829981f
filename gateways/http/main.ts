// The HTTP intake's process: node gateways/http/main.ts [--config config/gateway.yaml]
import { runGateway } from '../shared/process.ts';
import { protocol } from './protocol.ts';

runGateway('gateway-http', [protocol]);
