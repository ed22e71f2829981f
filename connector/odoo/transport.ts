// What every Odoo transport offers, and what it needs to know.

/** Named arguments of a method. `ids` and `context` mean the same as in JSON-2; the rest goes to the method by name. */
export type NamedArgs = Readonly<Record<string, unknown>>;

/** A server's version without login, for example `{ major: 19, text: '19.0' }`. */
export interface OdooVersion {
  major: number;
  text: string;
}

/** One Odoo database over one protocol. Every failure is an OdooError. */
export interface OdooClient {
  /** Calls a public method of a model. `signal` gives up early: what Odoo did by then is unknown. */
  call(model: string, method: string, args: NamedArgs, signal?: AbortSignal): Promise<unknown>;
  /** The server's version. Needs no credentials. */
  version(): Promise<OdooVersion>;
  /** For status lines and logs, without secrets: `Odoo at http://127.0.0.1:8069, database farm, json2`. */
  describe(): string;
}

export type TransportName = 'json2' | 'jsonrpc' | 'xmlrpc';

/** Where Odoo is and who we are there. */
export interface OdooTarget {
  /** Base address, for example `https://odoo.example.com`, without path for xmlrpc and without credentials. */
  url: string;
  database: string;
  /** Login of the integration user; json2 does not need it, the key says who we are. */
  login: string;
  apiKey: string;
  /** Limit of one call, in milliseconds. Keep it below the outbox lease. */
  timeoutMs: number;
  /** A longer answer is refused unread, in bytes. */
  maxResponseBytes: number;
}
