import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRecorder } from '@/mocks/samples';
import { ApiError } from './errors';
import { openEventStream, type EventStreamOptions, type StreamMode } from './event-stream';
import type { EventPage, TaskEvent } from './types';

/** A socket whose other end is the test. */
class FakeSocket extends EventTarget {
  sent: Record<string, unknown>[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.dispatchEvent(new Event('close'));
  }

  receive(frame: object): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  }

  becomeReady(): void {
    this.dispatchEvent(new Event('open'));
    this.receive({ type: 'ready' });
  }
}

function follow(changes: Partial<EventStreamOptions> = {}) {
  const sockets: FakeSocket[] = [];
  const events: TaskEvent[] = [];
  const modes: StreamMode[] = [];
  const refused = vi.fn<EventStreamOptions['onRefused']>();
  const poll = vi.fn<EventStreamOptions['poll']>(() => new Promise<EventPage>(() => undefined));
  const stream = openEventStream({
    taskId: 'tsk_1',
    lastEventId: () => events.at(-1)?.event_id ?? 0,
    token: () => 'sample-token',
    isOver: () => false,
    poll,
    connect: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    onEvents: (more) => events.push(...more),
    onMode: (mode) => modes.push(mode),
    onRefused: refused,
    ...changes,
  });
  const socket = (index: number): FakeSocket => {
    const found = sockets[index];
    if (!found) throw new Error(`there is no socket ${index}`);
    return found;
  };
  return { stream, sockets, socket, events, modes, poll, refused };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('it authenticates first, then subscribes from the last event', () => {
  const { socket, modes } = follow({ lastEventId: () => 7 });
  socket(0).becomeReady();
  expect(socket(0).sent).toEqual([
    { type: 'auth', token: 'sample-token' },
    { type: 'subscribe', task_id: 'tsk_1', since_event_id: 7 },
  ]);
  expect(modes).toEqual(['connecting', 'live']);
});

test('a lost socket is replaced and resumes after the last event', async () => {
  const event = createRecorder();
  const { socket, sockets, events } = follow();
  socket(0).becomeReady();
  socket(0).receive({ type: 'event', event: event('LOG', { text: 'one' }) });
  await vi.advanceTimersByTimeAsync(6000);
  socket(0).close();
  await vi.advanceTimersByTimeAsync(600);
  expect(sockets).toHaveLength(2);
  socket(1).becomeReady();
  expect(socket(1).sent[1]).toMatchObject({ since_event_id: 1 });
  expect(events).toHaveLength(1);
});

test('without a socket it polls, and tries a socket again later', async () => {
  const event = createRecorder();
  const page = { events: [event('LOG', { text: 'polled' })], last_event_id: 1 };
  const poll = vi
    .fn<EventStreamOptions['poll']>()
    .mockResolvedValueOnce(page)
    .mockResolvedValue({ events: [], last_event_id: 1 });
  const { socket, sockets, events, modes } = follow({ poll });
  socket(0).close();
  await vi.advanceTimersByTimeAsync(0);
  expect(events).toHaveLength(1);
  expect(modes.at(-1)).toBe('polling');
  await vi.advanceTimersByTimeAsync(31_000);
  expect(sockets).toHaveLength(2);
  // Empty answers that come at once are not asked for in a tight loop.
  expect(poll.mock.calls.length).toBeLessThan(40);
});

test('a silent socket is given up after a while', async () => {
  const { poll } = follow();
  await vi.advanceTimersByTimeAsync(5100);
  expect(poll).toHaveBeenCalledOnce();
});

test('a server that is down is retried with growing pauses, then by socket at once', async () => {
  const poll = vi
    .fn<EventStreamOptions['poll']>()
    .mockRejectedValueOnce(new TypeError('fetch failed'))
    .mockRejectedValueOnce(new TypeError('fetch failed'))
    .mockResolvedValue({ events: [], last_event_id: 0 });
  const { socket, sockets, modes } = follow({ poll });
  socket(0).close();
  await vi.advanceTimersByTimeAsync(100);
  expect(modes.at(-1)).toBe('offline');
  await vi.advanceTimersByTimeAsync(2000);
  expect(poll).toHaveBeenCalledTimes(3);
  expect(sockets).toHaveLength(2);
});

test('a refusal ends the stream with its reason', async () => {
  const refusal = new ApiError('task_not_found', 'There is no such task.', 404);
  const { socket, refused, sockets } = follow({ poll: () => Promise.reject(refusal) });
  socket(0).becomeReady();
  socket(0).receive({ type: 'error', error: 'task_not_found', detail: '…' });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(refused).toHaveBeenCalledExactlyOnceWith(refusal);
  expect(sockets).toHaveLength(1);
});

test('a closed stream does nothing more', async () => {
  const { stream, socket, sockets, poll } = follow();
  socket(0).becomeReady();
  stream.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toHaveLength(1);
  expect(poll).not.toHaveBeenCalled();
});
