import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { cancelTask, runTask, sendDecision, type Answer } from '@/api/task-actions';
import { followTurn } from './follow-turn';
import { foldTurnEvents } from './turn-fold';
import { emptyTurn } from './turn-view';

const TURNS_PAGE = 20;
const MESSAGES_PAGE = 100;
const NORMAL_PRIORITY = 100;
const STATE_REFRESH_MILLISECONDS = 4000;

export function useProjectState(projectId: string) {
  return useQuery({
    queryKey: queryKeys.projectState(projectId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/state', {
          params: { path: { project_id: projectId } },
          signal,
        }),
      ),
    refetchInterval: STATE_REFRESH_MILLISECONDS,
  });
}

export function useTurns(projectId: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.turns(projectId),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/tasks', {
          params: {
            query: {
              project_id: projectId,
              limit: TURNS_PAGE,
              ...(pageParam ? { cursor: pageParam } : {}),
            },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? null,
  });
}

export function useHistory(projectId: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.history(projectId),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/history', {
          params: {
            path: { project_id: projectId },
            query: { limit: MESSAGES_PAGE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next_cursor ?? null,
  });
}

/** The steps of a turn that has ended, read when the reader wants to see them. */
export function useTurnSteps(projectId: string, taskId: string, isWanted: boolean) {
  return useQuery({
    queryKey: queryKeys.turnSteps(projectId, taskId),
    queryFn: async ({ signal }) => {
      let view = emptyTurn;
      await followTurn({ projectId, taskId, message: null, lastEventId: 0 }, signal, {
        onEvents: (events) => {
          view = foldTurnEvents(view, events);
        },
        onConnection: () => undefined,
      });
      return view;
    },
    enabled: isWanted,
    staleTime: Infinity,
  });
}

/** Reads everything of the project anew: a turn may have changed all of it. */
export function refreshProject(client: QueryClient, projectId: string): void {
  void client.invalidateQueries({ queryKey: queryKeys.project(projectId) });
}

export function useStartChange(projectId: string) {
  return useMutation({
    mutationFn: async (wanted: { prompt: string; model: string | null; isPlanAsked: boolean }) => {
      const task = await unwrap(
        api.POST('/api/tasks', {
          body: {
            prompt: wanted.prompt,
            kind: 'change',
            project_id: projectId,
            model: wanted.model,
            priority: NORMAL_PRIORITY,
            options: wanted.isPlanAsked ? { approval: 'plan' } : {},
          },
        }),
      );
      return runTask(task.task_id);
    },
  });
}

export function useAnswer(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ taskId, key, answer }: { taskId: string; key: string; answer: Answer }) =>
      sendDecision(taskId, key, answer),
    onSettled: () => client.invalidateQueries({ queryKey: queryKeys.projectState(projectId) }),
  });
}

export function useStop() {
  return useMutation({ mutationFn: cancelTask });
}
