import { afterEach, expect, test, vi } from 'vitest';
import { ApiError } from '@/api/errors';
import { followLog, type LogPage, type LogState } from './follow-log';

afterEach(() => {
  vi.useRealTimers();
});

async function follow(answers: (LogPage | ApiError)[], milliseconds: number) {
  vi.useFakeTimers();
  const cursors: number[] = [];
  const states: LogState[] = [];
  const controller = new AbortController();
  const read = (cursor: number) => {
    cursors.push(cursor);
    const answer = answers.shift() ?? { text: '', next_cursor: cursor, is_cut: false };
    return answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(answer);
  };
  void followLog(read, controller.signal, (state) => states.push(state));
  await vi.advanceTimersByTimeAsync(milliseconds);
  controller.abort();
  return { cursors, last: states.at(-1) };
}

const page = (text: string, next_cursor: number): LogPage => ({ text, next_cursor, is_cut: false });

test('new lines are added, and silence is asked about less and less', async () => {
  const { cursors, last } = await follow([page('one\n', 4), page('two\n', 8)], 60_000);
  expect(last?.text).toBe('one\ntwo\n');
  expect(cursors.slice(0, 3)).toEqual([0, 4, 8]);
  expect(cursors.length).toBeLessThan(20);
});

test('a service that was started anew has a new log', async () => {
  const { last } = await follow([page('old\n', 40), page('', 3), page('new', 3)], 5000);
  expect(last?.text).toBe('new');
});

test('a hiccup is waited out, a refusal ends it', async () => {
  const hiccup = new ApiError('network_error', 'Away.');
  const gone = new ApiError('service_missing', 'Gone.', 404);
  const { cursors, last } = await follow([hiccup, page('back', 4), gone], 60_000);
  expect(last).toMatchObject({ text: 'back', error: gone });
  expect(cursors).toHaveLength(3);
});
