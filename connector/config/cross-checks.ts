// What no single key of config/connector.yaml can tell: keys that contradict each other, lists that name something twice.
import type * as z from 'zod';
import { nearMatch } from '../../contract/near-match.ts';
import { isName } from '../../contract/topics.ts';
import type { configSchema } from './schema.ts';

type Config = z.infer<typeof configSchema>;
interface Problem {
  path: (string | number)[];
  message: string;
}

/** Every contradiction; `profiles` are those that devices may name. */
export function crossProblems(config: Config, profiles: ReadonlyMap<string, unknown>): Problem[] {
  return [
    ...storageProblems(config),
    ...milkProblems(config),
    ...logProblems(config),
    ...deviceProblems(config, profiles),
  ];
}

/** Sums outlive what they are made of: else a restart of their computation would leave holes. */
function storageProblems({ storage, intake }: Config): Problem[] {
  const problems: Problem[] = [];
  const order = ['raw_days', 'fifteen_minute_days', 'hourly_days'] as const;
  order.slice(1).forEach((longer, index) => {
    const shorter = order[index] ?? 'raw_days';
    if (storage[longer] < storage[shorter])
      problems.push({
        path: ['storage', longer],
        message: `${storage[longer]} is less than storage.${shorter}, ${storage[shorter]}; at least as many days`,
      });
  });
  if (intake.max_past_days > storage.raw_days)
    problems.push({
      path: ['intake', 'max_past_days'],
      message: `${intake.max_past_days} is more than storage.raw_days, ${storage.raw_days}: such readings would be dropped at once`,
    });
  return problems;
}

function milkProblems({ milk }: Config): Problem[] {
  const problems: Problem[] = [];
  if (milk.midday_hour >= milk.evening_hour)
    problems.push({
      path: ['milk', 'midday_hour'],
      message: `${milk.midday_hour} is not before milk.evening_hour, ${milk.evening_hour}`,
    });
  if (milk.alerts.scc_medium > milk.alerts.scc_high)
    problems.push({
      path: ['milk', 'alerts', 'scc_medium'],
      message: `${milk.alerts.scc_medium} is more than milk.alerts.scc_high, ${milk.alerts.scc_high}`,
    });
  milk.grades.forEach(({ grade, fat, protein }, index) => {
    const path = ['milk', 'grades', index];
    if (milk.grades.findIndex((other) => other.grade === grade) !== index)
      problems.push({ path: [...path, 'grade'], message: `grade '${grade}' stands here twice` });
    const better = milk.grades[index - 1];
    if (better !== undefined && (fat > better.fat || protein > better.protein))
      problems.push({
        path,
        message: `grade '${grade}' asks for more than '${better.grade}' before it; best first`,
      });
  });
  return problems;
}

function logProblems({ role, intake, kafka }: Config): Problem[] {
  if (kafka.brokers !== '') return [];
  const asks = role === 'bridge' ? 'role: bridge' : intake.source === 'kafka' ? 'intake.source: kafka' : '';
  return asks === ''
    ? []
    : [
        {
          path: role === 'bridge' ? ['role'] : ['intake', 'source'],
          message: `${asks} needs kafka.brokers: host:port, with commas between`,
        },
      ];
}

function deviceProblems({ devices }: Config, profiles: ReadonlyMap<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, number>();
  devices.forEach(({ farm, uid, profile }, index) => {
    const path = ['devices', index];
    const add = (key: string, message: string) => problems.push({ path: [...path, key], message });
    if (!isName(farm)) add('farm', 'no topic can carry it: letters, digits, . _ : -, at most 64');
    if (!isName(uid)) add('uid', 'no topic can carry it: letters, digits, . _ : -, at most 64');
    const earlier = first.get(`${farm}/${uid}`);
    if (earlier === undefined) first.set(`${farm}/${uid}`, index);
    else add('uid', `device '${uid}' of farm '${farm}' is listed twice; first as devices[${earlier}]`);
    if (profile === undefined || profiles.has(profile)) return;
    const near = nearMatch(profile, [...profiles.keys()]);
    add(
      'profile',
      `no such profile in config/profiles/${near === undefined ? '' : `; did you mean '${near}'?`}`,
    );
  });
  return problems;
}
