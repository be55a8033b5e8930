import type { DeliveryInfo, HookEvent } from '@/api/types';
import type { Tone } from '@/components/ui/badge';
import { formatUntil } from '@/lib/format';

const labels: Record<HookEvent, string> = {
  'task.succeeded': 'A task succeeded',
  'task.failed': 'A task failed',
  'task.cancelled': 'A task was cancelled',
  'task.waiting': 'A task waits for an answer',
  'document.ready': 'A document was read',
  'document.failed': 'A document could not be read',
  'webhook.disabled': 'A webhook was switched off',
};

export const events: readonly { event: HookEvent; label: string }[] = [
  { event: 'task.succeeded', label: labels['task.succeeded'] },
  { event: 'task.failed', label: labels['task.failed'] },
  { event: 'task.cancelled', label: labels['task.cancelled'] },
  { event: 'task.waiting', label: labels['task.waiting'] },
  { event: 'document.ready', label: labels['document.ready'] },
  { event: 'document.failed', label: labels['document.failed'] },
  { event: 'webhook.disabled', label: labels['webhook.disabled'] },
];

/** The server reads no events as all. */
export function eventsText(chosen: readonly HookEvent[]): string {
  return chosen.length === 0 ? 'all events' : chosen.join(', ');
}

export const stateTones: Record<DeliveryInfo['state'], Tone> = {
  delivered: 'good',
  waiting: 'warn',
  failed: 'bad',
};

/** How a delivery stands, in a sentence. */
export function outcomeOf(delivery: DeliveryInfo, nowMilliseconds: number): string {
  const last = delivery.attempts.at(-1);
  if (!last) return 'Not sent yet.';
  const status = last.status === null ? 'no answer' : `status ${last.status}`;
  const said = last.error || status;
  const tries = delivery.attempts.length === 1 ? '1 try' : `${delivery.attempts.length} tries`;
  const next =
    delivery.state === 'waiting' && delivery.next_try_at
      ? ` Tried again ${formatUntil(delivery.next_try_at, nowMilliseconds)}.`
      : '';
  return `${tries}, the last with ${said} after ${last.milliseconds} ms.${next}`;
}

/** The body as it is read best; text that is not JSON stays as it is. */
export function prettyBody(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
