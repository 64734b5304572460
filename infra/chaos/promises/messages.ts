import type postgres from 'postgres';
import type { Message } from '../receivers.ts';

/** What arrived is what was written down: same id, same bytes; nobody hears of others' alerts, nor of an end before its beginning. */
export async function brokenMessages(sql: postgres.Sql, messages: readonly Message[]): Promise<string[]> {
  const broken: string[] = [];
  const bodies = new Map<string, string>();
  const begun = new Set<string>();
  for (const { tenant, saysTenant, channel, id, body, type, alertId, answered } of messages) {
    if (tenant !== saysTenant) broken.push(`a message of ${saysTenant} came to ${tenant}`);
    if ((bodies.get(id) ?? body) !== body) broken.push(`message ${id} came with two bodies`);
    bodies.set(id, body);
    const alert = `${channel} ${alertId}`;
    if (type === 'alert.resolved' && !begun.has(alert)) broken.push(`${tenant} ${channel}: resolved ${alertId} came before it had fired`);
    if (['alert.fired', 'alert.undelivered', 'channel.failing'].includes(type) && answered !== 503) begun.add(alert);
  }
  const rows = await sql<{ id: string; body: string }[]>`select id, body from deliveries where status in ('delivered', 'dead')`;
  const recorded = new Map(rows.map(({ id, body }) => [id, body]));
  for (const [id, body] of recorded) if (bodies.get(id) !== body) broken.push(`delivery ${id} never arrived, or with another body`);
  for (const id of bodies.keys()) if (!recorded.has(id)) broken.push(`message ${id} is no delivery that was made`);
  return broken;
}

/** Sends of a message that its receiver had answered for already: what a process that died in between costs. */
export function repeatedSends(messages: readonly Message[]): number {
  const answered = new Set<string>();
  let repeated = 0;
  for (const { id, answered: answer } of messages) {
    if (answered.has(id)) repeated += 1;
    if (answer === 200 || answer === 404) answered.add(id);
  }
  return repeated;
}
