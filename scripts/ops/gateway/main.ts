// npm run gateway -- [config/gateway.yaml]: all protocols of one file in one process.
import '../../../gateways/main.ts';
