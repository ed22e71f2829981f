// The import rules of the house, see docs/architecture.md.
const only = (name, comment, module, except) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: [...except, '^(test|scripts)/', '^node_modules'] },
  to: { path: `^node_modules/${module}/` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'contract-imports-only-zod',
      severity: 'error',
      from: { path: '^contract/', pathNot: '^contract/runtime/' },
      to: { pathNot: ['^contract/(?!runtime/)', '^node_modules/zod/'] },
    },
    {
      name: 'contract-runtime-imports-zod-yaml-pino',
      severity: 'error',
      from: { path: '^contract/runtime/' },
      to: {
        pathNot: [
          '^contract/',
          '^node_modules/(zod|yaml|pino)/',
          '^node:|^(fs|path|process|url|crypto|net|util)(/|$)',
        ],
      },
    },
    {
      name: 'gateway-knows-only-contract',
      comment: 'a gateway imports contract and gateways/shared, never the connector',
      severity: 'error',
      from: { path: '^gateways/' },
      to: { path: '^(connector|scripts|test)/' },
    },
    {
      name: 'gateway-never-imports-another-gateway',
      severity: 'error',
      from: { path: '^gateways/([^/]+)/', pathNot: '^gateways/shared/' },
      to: { path: '^gateways/', pathNot: ['^gateways/$1/', '^gateways/shared/'] },
    },
    {
      name: 'connector-never-imports-gateways',
      severity: 'error',
      from: { path: '^connector/' },
      to: { path: '^(gateways|scripts|test)/' },
    },
    only('pg-only-in-connector-db', 'SQL lives behind connector/db', '(pg|pg-copy-streams)', [
      '^connector/db/',
    ]),
    only('mqtt-one-file-per-side', 'one MQTT client file per side', 'mqtt', [
      '^connector/sources/mqtt-source\\.ts$',
      '^gateways/shared/mqtt\\.ts$',
    ]),
    only('odoo-xmlrpc-one-file', 'each Odoo transport in one file', 'odoo-xmlrpc', [
      '^connector/odoo/xmlrpc\\.ts$',
    ]),
    only('kafka-one-file', 'one Kafka client file', '@platformatic/kafka', [
      '^connector/sources/kafka-client\\.ts$',
    ]),
    only('aedes-one-file', 'the embedded broker in one file', 'aedes', [
      '^connector/sources/embedded-broker\\.ts$',
    ]),
    {
      name: 'nothing-imports-start',
      comment: 'assembly stands above all parts; no part knows it',
      severity: 'error',
      from: { path: '^(contract|gateways|connector)/', pathNot: '^connector/(start/|main\\.ts$)' },
      to: { path: '^connector/(start/|main\\.ts$)' },
    },
    {
      name: 'only-start-mounts-rest',
      comment: 'REST knows the features; none of them knows REST. Its section of the configuration is data',
      severity: 'error',
      from: { path: '^connector/', pathNot: '^connector/(rest|start)/' },
      to: { path: '^connector/rest/', pathNot: '^connector/rest/section\\.ts$' },
    },
    {
      name: 'decision-logic-is-pure',
      comment: 'decoding, quality, milkings, rules, analytics, codecs and mappings do no I/O',
      severity: 'error',
      from: {
        path: [
          '^connector/(decode|quality|milkings|rules|analytics)/',
          '^connector/odoo/mapping/',
          '^gateways/modbus/(plan|decode|session|echo|lessons)\\.ts$',
          '^gateways/lorawan/(codecs/|(events|event-time|interpret|model|uplink)\\.ts$)',
          '^gateways/rfid/(line|debounce)\\.ts$',
          '^gateways/coap/message\\.ts$',
        ],
      },
      to: {
        pathNot: [
          '^contract/(?!runtime/)',
          '^connector/(decode|quality|milkings|rules|analytics|odoo/mapping)/',
          '^gateways/modbus/(plan|decode|session|echo|lessons)\\.ts$',
          '^gateways/lorawan/(codecs/|(events|event-time|model|uplink)\\.ts$)',
          '^gateways/rfid/(line|debounce)\\.ts$',
          '^gateways/coap/message\\.ts$',
          '^node_modules/zod/',
          '^(node:)?crypto$',
        ],
      },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'] },
  },
};
