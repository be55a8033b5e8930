import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { atTask, cancelTask, runTask, sendDecision, type Answer } from '@/api/task-actions';
import type { TaskState } from '@/api/types';
import { isTerminal } from '@/api/task-status';

export const NORMAL_PRIORITY = 100;

const PAGE_SIZE = 20;
const STATE_REFRESH_MILLISECONDS = 10_000;

export interface NewTask {
  prompt: string;
  model: string | null;
  budgetSeconds: number | null;
  budgetTokens: number | null;
  /** Show the plan and wait for an answer before anything is written. */
  isPlanAsked: boolean;
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
          body: {
            prompt: task.prompt,
            kind: 'build',
            model: task.model,
            priority: NORMAL_PRIORITY,
            budget_seconds: task.budgetSeconds,
            budget_tokens: task.budgetTokens,
            options: task.isPlanAsked ? { approval: 'plan' } : {},
          },
        }),
      ),
    onSuccess: (task) => keepState(client, task),
  });
}

/** A change of a task; its answer is the task's new state. */
function useTaskChange<Wanted>(change: (wanted: Wanted) => Promise<TaskState>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: (task) => keepState(client, task) });
}

export function useRunTask() {
  return useTaskChange(runTask);
}

export function useCancelTask() {
  return useTaskChange(cancelTask);
}

export function usePauseTask() {
  return useTaskChange((taskId: string) =>
    unwrap(api.POST('/api/tasks/{task_id}/pause', atTask(taskId))),
  );
}

export function useResumeTask() {
  return useTaskChange((taskId: string) =>
    unwrap(api.POST('/api/tasks/{task_id}/resume', atTask(taskId))),
  );
}

export function usePrioritiseTask() {
  return useTaskChange(({ taskId, priority }: { taskId: string; priority: number }) =>
    unwrap(api.PATCH('/api/tasks/{task_id}', { ...atTask(taskId), body: { priority } })),
  );
}

/** Its answer is another task: the next attempt. */
export function useRetryTask() {
  return useTaskChange((taskId: string) =>
    unwrap(api.POST('/api/tasks/{task_id}/retry', atTask(taskId))),
  );
}

/** Its answer is another task: the same request on that model. */
export function useRerunTask() {
  return useTaskChange(({ taskId, model }: { taskId: string; model: string }) =>
    unwrap(api.POST('/api/tasks/{task_id}/rerun', { ...atTask(taskId), body: { model } })),
  );
}

export function useAnswerQuestion(taskId: string) {
  return useTaskChange(({ key, answer }: { key: string; answer: Answer }) =>
    sendDecision(taskId, key, answer),
  );
}
