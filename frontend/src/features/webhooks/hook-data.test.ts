import { expect, test } from 'vitest';
import type { DeliveryInfo } from '@/api/types';
import { eventsText, outcomeOf, prettyBody } from './hook-data';

const now = Date.parse('2026-01-02T12:00:00Z');
const delivery: DeliveryInfo = {
  delivery_id: 'dlv_1',
  message_id: 'evt_1',
  kind: 'ping',
  state: 'waiting',
  body: '{}',
  attempts: [],
  next_try_at: null,
  created_at: '2026-01-02T12:00:00Z',
  ended_at: null,
};
const attempt = {
  at: '2026-01-02T12:00:00Z',
  status: 500,
  milliseconds: 12,
  error: '',
  answer: '',
};

test('no events stand for all', () => {
  expect(eventsText([])).toBe('all events');
  expect(eventsText(['task.failed', 'document.ready'])).toBe('task.failed, document.ready');
});

test('an outcome says how often, with what, and when again', () => {
  expect(outcomeOf(delivery, now)).toBe('Not sent yet.');
  expect(
    outcomeOf(
      { ...delivery, attempts: [attempt, attempt], next_try_at: '2026-01-02T12:00:30Z' },
      now,
    ),
  ).toBe('2 tries, the last with status 500 after 12 ms. Tried again in 30 s.');
  const failed = { ...attempt, error: 'status 500' };
  expect(outcomeOf({ ...delivery, state: 'failed', attempts: [failed] }, now)).toBe(
    '1 try, the last with status 500 after 12 ms.',
  );
  const cut = { ...attempt, status: null, error: 'connection refused' };
  expect(outcomeOf({ ...delivery, state: 'failed', attempts: [cut] }, now)).toBe(
    '1 try, the last with connection refused after 12 ms.',
  );
});

test('a body that is no JSON is shown as it is', () => {
  expect(prettyBody('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(prettyBody('{"a":')).toBe('{"a":');
});
