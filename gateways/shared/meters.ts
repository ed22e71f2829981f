// The metrics of a gateway: what protocols count, what is looked up at each scrape, and the process' own.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

export interface Meters {
  count(name: string, labels?: Labels, by?: number): void;
  gauge(name: string, labels: Labels, value: number): void;
  /** Prometheus text, with `more` unlabelled values as they are now; a name that ends in `_total` is a counter. */
  text(more: Readonly<Record<string, number>>): Promise<string>;
}

const prefix = 'gateway_';

/** Every name is prefixed; a metric is made when it is first used, with the labels that it has then. */
export function createMeters(): Meters {
  const register = new Registry();
  collectDefaultMetrics({ register, prefix });
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const metric = (name: string, labels: Labels) => ({
    name: prefix + name,
    help: name.replaceAll('_', ' '),
    labelNames: Object.keys(labels),
    registers: [register],
  });
  const counterOf = (name: string, labels: Labels) => {
    const counter = counters.get(name) ?? new Counter(metric(name, labels));
    counters.set(name, counter);
    return counter;
  };
  const gaugeOf = (name: string, labels: Labels) => {
    const gauge = gauges.get(name) ?? new Gauge(metric(name, labels));
    gauges.set(name, gauge);
    return gauge;
  };
  return {
    count: (name, labels = {}, by = 1) => counterOf(name, labels).inc(labels, by),
    gauge: (name, labels, value) => gaugeOf(name, labels).set(labels, value),
    text: (more) => {
      for (const [name, value] of Object.entries(more)) {
        if (!name.endsWith('_total')) gaugeOf(name, {}).set(value);
        else {
          const counter = counterOf(name, {});
          counter.reset();
          counter.inc(value);
        }
      }
      return register.metrics();
    },
  };
}
