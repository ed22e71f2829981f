// Docker mode: everything in docker-compose.yml, driven by `docker compose`.
import type { Instance, Report } from '../types.ts';

export function dockerUp(_instance: Instance, _report: Report): Promise<void> {
  return Promise.reject(new Error('not yet'));
}
export function dockerDown(_instance: Instance, _options: { withData: boolean }): Promise<boolean> {
  return Promise.resolve(false);
}
export function dockerStatus(_instance: Instance): Promise<boolean> {
  return Promise.resolve(false);
}
