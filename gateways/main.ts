// Several protocols in one process: node gateways/main.ts config/gateway.yaml. A protocol is a folder here with a protocol.ts.
import { runAllGateways } from './shared/process.ts';

await runAllGateways();
