import { openStream } from '@/api/client';
import { ApiError, toApiError } from '@/api/errors';
import { readServerEvents, type ServerEvent } from '@/api/server-events';
import type { SendMessage } from '@/api/types';
import { pause } from '@/lib/pause';

const FIRST_PAUSE_MILLISECONDS = 500;
const LONGEST_PAUSE_MILLISECONDS = 10_000;

export interface Following {
  projectId: string;
  /** A new message; without one the turn `taskId` is followed. */
  message: SendMessage | null;
  taskId: string;
  lastEventId: number;
}

export interface Listener {
  onEvents: (events: ServerEvent[]) => void;
  onConnection: (isConnected: boolean) => void;
}

interface Place {
  taskId: string;
  lastEventId: number;
  isOver: boolean;
}

function note(place: Place, { data }: ServerEvent): void {
  const { task_id: taskId, event_id: eventId, is_final: isFinal } = data;
  if (typeof taskId === 'string') place.taskId = taskId;
  if (typeof eventId === 'number') place.lastEventId = Math.max(place.lastEventId, eventId);
  place.isOver ||= isFinal === true;
}

function open(following: Following, place: Place, signal: AbortSignal): Promise<Response> {
  const base = `/api/projects/${encodeURIComponent(following.projectId)}/chat`;
  if (!place.taskId) return openStream(base, following.message ?? {}, signal);
  const path = `${base}/${encodeURIComponent(place.taskId)}/stream`;
  return openStream(`${path}?since_event_id=${place.lastEventId}`, null, signal);
}

/**
 * Follows a turn to its end, over broken connections. Throws ApiError if the server refuses, or if
 * a new message could not be sent: it is not sent twice.
 */
export async function followTurn(
  following: Following,
  signal: AbortSignal,
  listener: Listener,
): Promise<void> {
  const place: Place = {
    taskId: following.taskId,
    lastEventId: following.lastEventId,
    isOver: false,
  };
  let wait = FIRST_PAUSE_MILLISECONDS;
  while (!signal.aborted && !place.isOver) {
    try {
      const response = await open(following, place, signal);
      listener.onConnection(true);
      for await (const events of readServerEvents(response)) {
        wait = FIRST_PAUSE_MILLISECONDS;
        for (const event of events) note(place, event);
        listener.onEvents(events);
      }
    } catch (caught) {
      if (signal.aborted) return;
      const error = toApiError(caught);
      if (error.isRefusal || !place.taskId) throw error;
    }
    if (place.isOver || signal.aborted) return;
    if (!place.taskId) {
      throw new ApiError('turn_lost', 'The connection ended before the server had accepted it.');
    }
    listener.onConnection(false);
    await pause(wait, signal);
    wait = Math.min(wait * 2, LONGEST_PAUSE_MILLISECONDS);
  }
}
