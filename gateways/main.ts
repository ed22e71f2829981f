// Several protocols in one process: npm run gateway -- config/gateway.yaml. A protocol is a folder here with a protocol.ts.
import type { Protocol } from './shared/protocol.ts';
import { protocolNames, runGateway } from './shared/process.ts';

const protocols: Protocol[] = [];
for (const name of protocolNames()) {
  const { protocol } = (await import(`./${name}/protocol.ts`)) as { protocol: Protocol };
  protocols.push(protocol);
}
runGateway('gateway', protocols);
