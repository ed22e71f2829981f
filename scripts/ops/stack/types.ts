// The words that the three stack providers share.

/** How the services run: in Docker, for real in a private root file system, or embedded in npm packages. */
export type Mode = 'docker' | 'real' | 'embedded';

/** `demo` is what `npm start` runs, `test` what `npm test` runs, `bench` and
 * `chaos` what those commands run; they never share a port, folder or process. */
export type InstanceName = 'demo' | 'test' | 'bench' | 'chaos';

export interface Instance {
  name: InstanceName;
  /** All that this instance owns, mode 0700. */
  dir: string;
  /** Sourceable addresses and secrets for connector, gateway, tests and people. */
  envFile: string;
  settingsFile: string;
  /** What the service daemon says of itself, and its process identity. */
  stateFile: string;
  daemonFile: string;
  socket: string;
  logDir: string;
}

/**
 * TCP ports on 127.0.0.1; `modbus` is that of the simulated parlour. `mqtt` is for people's tools and tests, `mqttBound` for programs
 * and devices, whose client ids are the names of their accounts.
 */
export type Ports = Record<
  'postgres' | 'mqtt' | 'mqttBound' | 'odoo' | 'connector' | 'modbus' | 'rfid' | 'intake',
  number
>;

/** Random per installation, kept over restarts. */
export type Secrets = Record<
  'postgresAdmin' | 'postgres' | 'postgresOdoo' | 'mqtt' | 'connectorToken' | 'odooMaster' | 'odooAdmin',
  string
>;

/** What one installation remembers from start to start. */
export interface Settings {
  ports: Ports;
  secrets: Secrets;
  /** Key of Odoo's integration user; absent until Odoo is installed. */
  odooApiKey?: string;
  /** Hash of the addon files that are installed in Odoo's database. */
  addonsHash?: string;
}

export type EnvValues = Record<string, string>;

/** Reports the step that begins now, in words for a person. */
export type Report = (step: string) => void;

/** What a provider hands back once its services are up. */
export interface RunningStack {
  /** Values of the instance's env file. */
  env: EnvValues;
  /** What runs in which version, for people and the test summary. */
  versions: Record<string, string>;
}

export interface ManagedService {
  name: string;
  state: () => ServiceState;
  start: () => Promise<void>;
  stop: () => Promise<void>;
}

export type ServiceState = 'stopped' | 'starting' | 'running' | 'crashed';
