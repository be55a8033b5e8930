import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { TaskState } from '@/api/types';
import { isTerminal } from './task-view';

const PAGE_SIZE = 20;
const STATE_REFRESH_MILLISECONDS = 10_000;

export interface NewTask {
  prompt: string;
  model: string | null;
  budgetSeconds: number | null;
}

function atTask(taskId: string) {
  return { params: { path: { task_id: taskId } } };
}

export function useTaskState(taskId: string) {
  return useQuery({
    queryKey: queryKeys.taskState(taskId),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/tasks/{task_id}/state', { ...atTask(taskId), signal })),
    // Events drive the page; this catches what a broken connection would hide.
    refetchInterval: ({ state }) =>
      state.data && isTerminal(state.data.status) ? false : STATE_REFRESH_MILLISECONDS,
  });
}

export function useTaskList() {
  return useInfiniteQuery({
    queryKey: queryKeys.taskList,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/tasks', {
          params: { query: { limit: PAGE_SIZE, ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? null,
    refetchInterval: ({ state }) => {
      const tasks = state.data?.pages.flatMap((page) => page.items) ?? [];
      return tasks.some((task) => !isTerminal(task.status)) ? STATE_REFRESH_MILLISECONDS : false;
    },
  });
}

function keepState(client: QueryClient, task: TaskState): void {
  client.setQueryData(queryKeys.taskState(task.task_id), task);
  void client.invalidateQueries({ queryKey: queryKeys.taskList });
}

export function useCreateTask() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (task: NewTask) =>
      unwrap(
        api.POST('/api/tasks', {
          body: { prompt: task.prompt, model: task.model, budget_seconds: task.budgetSeconds },
        }),
      ),
    onSuccess: (task) => keepState(client, task),
  });
}

export function useRunTask() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => unwrap(api.POST('/api/tasks/{task_id}/run', atTask(taskId))),
    onSuccess: (task) => keepState(client, task),
  });
}

export function useCancelTask() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) => unwrap(api.POST('/api/tasks/{task_id}/cancel', atTask(taskId))),
    onSuccess: (task) => keepState(client, task),
  });
}
