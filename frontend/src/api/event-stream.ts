import { pause } from '@/lib/pause';
import { toApiError, type ApiError } from './errors';
import { isRecord } from '@/lib/json';
import type { EventPage, TaskEvent } from './types';

/** How events arrive: pushed, asked for, or not at all for the moment. */
export type StreamMode = 'connecting' | 'live' | 'polling' | 'offline';

/** What the stream needs of a WebSocket. */
export interface EventSocket {
  send: (text: string) => void;
  close: () => void;
  addEventListener: (type: string, listener: (event: Event) => void) => void;
}

export interface EventStreamOptions {
  taskId: string;
  /** The last event that the reader holds; asked anew on every (re)connection. */
  lastEventId: () => number;
  token: () => string;
  /** The task has ended and the reader has its last event. */
  isOver: () => boolean;
  poll: (sinceEventId: number, signal: AbortSignal) => Promise<EventPage>;
  connect: () => EventSocket;
  onEvents: (events: TaskEvent[]) => void;
  onMode: (mode: StreamMode) => void;
  /** The server refuses this task or session; the stream has ended. */
  onRefused: (error: ApiError) => void;
}

export interface EventStream {
  restart: () => void;
  close: () => void;
}

const READY_MILLISECONDS = 5000;
const POLL_MILLISECONDS_BEFORE_SOCKET_RETRY = 30_000;
const FIRST_PAUSE_MILLISECONDS = 500;
const EMPTY_ANSWER_PAUSE_MILLISECONDS = 1000;
const LONGEST_PAUSE_MILLISECONDS = 15_000;
const SHORT_CONNECTIONS_BEFORE_POLLING = 2;

export function connectEventSocket(): WebSocket {
  const url = new URL('/api/ws', window.location.origin);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url);
}

function parseFrame(data: unknown): Record<string, unknown> {
  if (typeof data !== 'string') return {};
  try {
    const frame: unknown = JSON.parse(data);
    return isRecord(frame) ? frame : {};
  } catch {
    return {};
  }
}

function isTaskEvent(value: unknown): value is TaskEvent {
  return isRecord(value) && typeof value['event_type'] === 'string' && isRecord(value['payload']);
}

/** Resolves when the socket is gone: true if it ever became ready. */
function followSocket(options: EventStreamOptions, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = options.connect();
    let wasReady = false;
    let isFinished = false;
    const finish = () => {
      if (isFinished) return;
      isFinished = true;
      clearTimeout(readyTimer);
      signal.removeEventListener('abort', finish);
      socket.close();
      resolve(wasReady);
    };
    const readyTimer = setTimeout(finish, READY_MILLISECONDS);
    const send = (message: object) => socket.send(JSON.stringify(message));
    const onReady = () => {
      wasReady = true;
      clearTimeout(readyTimer);
      options.onMode('live');
      send({
        type: 'subscribe',
        task_id: options.taskId,
        since_event_id: options.lastEventId(),
      });
    };
    socket.addEventListener('open', () => send({ type: 'auth', token: options.token() }));
    socket.addEventListener('message', (message) => {
      if (isFinished || !(message instanceof MessageEvent)) return;
      const frame = parseFrame(message.data);
      if (frame['type'] === 'ready') onReady();
      if (frame['type'] === 'event' && isTaskEvent(frame['event'])) {
        options.onEvents([frame['event']]);
      }
      // The reason is asked for over HTTP, where errors have a status.
      if (frame['type'] === 'error') {
        wasReady = false;
        finish();
      }
    });
    socket.addEventListener('close', finish);
    socket.addEventListener('error', finish);
    signal.addEventListener('abort', finish);
  });
}

/** Asks by long poll until the deadline. Returns false if the server refused. */
async function followPolls(options: EventStreamOptions, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + POLL_MILLISECONDS_BEFORE_SOCKET_RETRY;
  let pauseMilliseconds = FIRST_PAUSE_MILLISECONDS;
  let wasOffline = false;
  while (!signal.aborted && Date.now() < deadline) {
    const askedAt = Date.now();
    try {
      const page = await options.poll(options.lastEventId(), signal);
      options.onMode('polling');
      options.onEvents(page.events);
      // The server is back, so a socket is worth a try at once.
      if (wasOffline) return true;
      const cameAtOnce = Date.now() - askedAt < EMPTY_ANSWER_PAUSE_MILLISECONDS;
      if (page.events.length === 0 && cameAtOnce) {
        const isOver = options.isOver();
        await pause(
          isOver ? POLL_MILLISECONDS_BEFORE_SOCKET_RETRY : EMPTY_ANSWER_PAUSE_MILLISECONDS,
          signal,
        );
      }
    } catch (caught) {
      if (signal.aborted) return true;
      const error = toApiError(caught);
      if (error.isRefusal) {
        options.onRefused(error);
        return false;
      }
      wasOffline = true;
      options.onMode('offline');
      await pause(pauseMilliseconds, signal);
      pauseMilliseconds = Math.min(pauseMilliseconds * 2, LONGEST_PAUSE_MILLISECONDS);
    }
  }
  return true;
}

async function follow(options: EventStreamOptions, signal: AbortSignal): Promise<void> {
  let shortConnections = 0;
  while (!signal.aborted) {
    const startedAt = Date.now();
    const wasReady = await followSocket(options, signal);
    if (signal.aborted) return;
    const wasShort = Date.now() - startedAt < READY_MILLISECONDS;
    shortConnections = wasReady && !wasShort ? 0 : shortConnections + 1;
    options.onMode('connecting');
    if (wasReady && shortConnections < SHORT_CONNECTIONS_BEFORE_POLLING) {
      await pause(FIRST_PAUSE_MILLISECONDS, signal);
    } else if (!(await followPolls(options, signal))) {
      return;
    }
  }
}

/**
 * Follows one task's events from the reader's last one: by WebSocket, and by long poll while no
 * socket holds. Events may come twice; the reader drops what it has.
 */
export function openEventStream(options: EventStreamOptions): EventStream {
  let controller = new AbortController();
  options.onMode('connecting');
  void follow(options, controller.signal);
  return {
    restart: () => {
      controller.abort();
      controller = new AbortController();
      void follow(options, controller.signal);
    },
    close: () => controller.abort(),
  };
}
