import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, unwrap } from '@/api/client';
import type { ApiError } from '@/api/errors';
import { connectEventSocket, openEventStream, type StreamMode } from '@/api/event-stream';
import { queryKeys } from '@/api/query-keys';
import { readSession } from '@/api/session';
import { isTerminal } from '@/api/task-status';
import type { TaskEvent, TaskState } from '@/api/types';
import { foldEvents } from './event-fold';
import { emptyTaskView, type TaskView } from './task-view';

const FLUSH_MILLISECONDS = 60;
const POLL_WAIT_SECONDS = 25;

export interface TaskEvents {
  view: TaskView;
  mode: StreamMode;
  error: ApiError | null;
}

/** Gathers events for a moment, so that fast tokens do not redraw the page one by one. */
function createBatcher(flush: (events: TaskEvent[]) => void) {
  let waiting: TaskEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flushNow = () => {
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length > 0) flush(batch);
  };
  return {
    add: (events: TaskEvent[]) => {
      waiting.push(...events);
      timer ??= setTimeout(flushNow, FLUSH_MILLISECONDS);
    },
    flushNow: () => {
      clearTimeout(timer);
      flushNow();
    },
  };
}

/** The live fold of one task's events; it resumes where it was after any break. */
export function useTaskEvents(taskId: string): TaskEvents {
  const client = useQueryClient();
  const [mode, setMode] = useState<StreamMode>('connecting');
  const [error, setError] = useState<ApiError | null>(null);
  const { data } = useQuery({
    queryKey: queryKeys.taskEvents(taskId),
    queryFn: () => emptyTaskView,
    initialData: emptyTaskView,
    enabled: false,
    staleTime: Infinity,
  });

  useEffect(() => {
    const key = queryKeys.taskEvents(taskId);
    const readView = () => client.getQueryData<TaskView>(key) ?? emptyTaskView;
    const batcher = createBatcher((events) => {
      client.setQueryData<TaskView>(key, (view) => foldEvents(view ?? emptyTaskView, events));
      const has = (...types: TaskEvent['event_type'][]) =>
        events.some((event) => types.includes(event.event_type));
      const known = client.getQueryData<TaskState>(queryKeys.taskState(taskId))?.status;
      const asks = events.some((event) => event.payload?.['question']);
      const isNewStatus = has('STATE') && readView().status !== known;
      if (has('RESULT', 'PREVIEW') || asks || isNewStatus) {
        void client.invalidateQueries({ queryKey: queryKeys.taskState(taskId) });
      }
      // At the first look at a task all of its past comes as if it were new; the list has it.
      if (known && isNewStatus) void client.invalidateQueries({ queryKey: queryKeys.taskList });
      if (has('FILE', 'RESULT')) {
        void client.invalidateQueries({ queryKey: queryKeys.artifacts(taskId) });
      }
    });
    const stream = openEventStream({
      taskId,
      lastEventId: () => {
        batcher.flushNow();
        return readView().lastEventId;
      },
      token: () => readSession()?.token ?? '',
      poll: (sinceEventId, signal) =>
        unwrap(
          api.GET('/api/tasks/{task_id}/events', {
            params: {
              path: { task_id: taskId },
              query: { since_event_id: sinceEventId, wait: POLL_WAIT_SECONDS },
            },
            signal,
          }),
        ),
      connect: connectEventSocket,
      onEvents: batcher.add,
      onMode: setMode,
      isOver: () => {
        const { status } = readView();
        return status !== null && isTerminal(status);
      },
      onRefused: (refusal) => {
        // Our events are from another life of the server's database: read it all again.
        if (refusal.code === 'unknown_event_id' && readView().lastEventId > 0) {
          client.setQueryData<TaskView>(key, emptyTaskView);
          stream.restart();
        } else {
          setError(refusal);
        }
      },
    });
    // A network that came back is used at once instead of after a pause.
    window.addEventListener('online', stream.restart);
    return () => {
      window.removeEventListener('online', stream.restart);
      stream.close();
      batcher.flushNow();
    };
  }, [client, taskId]);

  return { view: data, mode, error };
}
