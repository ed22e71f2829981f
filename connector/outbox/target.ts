// Where Odoo stands, put together from what every lane (record kind) last met. Changes are logged and told once.
import type { Logger } from '../../contract/runtime/logger.ts';
import type { TargetState } from './decide.ts';

/** For health, status and metrics. */
export interface TargetStatus {
  state: TargetState;
  /** What is wrong and what to do about it, or who is being talked to. */
  detail: string;
  since: Date;
  /** Records that Odoo has taken since the start of the process. */
  sent: number;
  lastSentAt: Date | undefined;
}

/** The shared status of one target. */
export interface Target {
  set(lane: string, state: TargetState, detail: string): void;
  countSent(records: number): void;
  status(): TargetStatus;
}

/** Told when the target refuses our key or rights, and when it is well again: once each, whatever the number of lanes. */
export interface TargetHooks {
  onDenied?(detail: string): void;
  onRecovered?(): void;
  onState?(state: TargetState): void;
}

// The one that most needs a person is shown first.
const severity: Record<TargetState, number> = {
  ok: 0,
  unreachable: 1,
  not_configured: 2,
  misconfigured: 3,
  denied: 4,
};

/** A target whose status starts as `state`. */
export function createTarget(state: TargetState, detail: string, logger: Logger, hooks: TargetHooks): Target {
  const lanes = new Map<string, { state: TargetState; detail: string }>();
  const status: TargetStatus = { state, detail, since: new Date(), sent: 0, lastSentAt: undefined };
  let alarmed = false;
  hooks.onState?.(state);
  return {
    set(lane, laneState, laneDetail) {
      lanes.set(lane, { state: laneState, detail: laneDetail });
      const worst = [...lanes.values()].reduce((a, b) => (severity[b.state] > severity[a.state] ? b : a));
      status.detail = worst.detail;
      if (worst.state === status.state) return;
      status.state = worst.state;
      status.since = new Date();
      const level = worst.state === 'ok' ? 'info' : 'warn';
      logger[level](
        { target: 'odoo', state: worst.state, detail: worst.detail },
        'Odoo is now: ' + worst.state,
      );
      hooks.onState?.(worst.state);
      if (worst.state === 'denied' && !alarmed) {
        alarmed = true;
        hooks.onDenied?.(worst.detail);
      } else if (worst.state === 'ok' && alarmed) {
        alarmed = false;
        hooks.onRecovered?.();
      }
    },
    countSent(records) {
      if (records === 0) return;
      status.sent += records;
      status.lastSentAt = new Date();
    },
    status: () => ({ ...status }),
  };
}
