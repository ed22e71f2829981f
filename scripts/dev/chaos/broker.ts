// What the broker keeps between connections: the session of a client, and retained messages.
import { connectAsync } from 'mqtt';

/** Has the broker forget a client's session, with all that waits in it, and the retained messages of topics. */
export async function forget(
  env: Readonly<Record<string, string>>,
  clientId: string,
  topics: readonly string[] = [],
): Promise<void> {
  const [username, password] = [env['MQTT_USERNAME'] ?? '', env['MQTT_PASSWORD'] ?? ''];
  const client = await connectAsync(env['MQTT_URL'] ?? '', { clientId, username, password, clean: true });
  for (const topic of topics) await client.publishAsync(topic, '', { qos: 1, retain: true });
  await client.endAsync();
}
