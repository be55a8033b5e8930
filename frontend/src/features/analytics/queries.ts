import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { api, fetchBody, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import { isTerminal } from '@/api/task-status';
import type { Comparison } from '@/api/types';

const STEPS_PAGE = 20;
const COMPARISON_REFRESH_MILLISECONDS = 5000;

export function haveEnded({ left, right }: Comparison): boolean {
  return isTerminal(left.status) && isTerminal(right.status);
}

export function useAnalytics(days: number, isOfAll: boolean) {
  return useQuery({
    queryKey: queryKeys.analytics(days, isOfAll),
    queryFn: ({ signal }) =>
      unwrap(api.GET('/api/analytics', { params: { query: { days, all: isOfAll } }, signal })),
    placeholderData: (previous) => previous,
  });
}

export function useReplay(taskId: string) {
  return useInfiniteQuery({
    queryKey: queryKeys.replay(taskId),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/analytics/tasks/{task_id}/replay', {
          params: { path: { task_id: taskId }, query: { step: pageParam, limit: STEPS_PAGE } },
          signal,
        }),
      ),
    initialPageParam: 1,
    getNextPageParam: (page) => page.next_step ?? null,
    staleTime: Infinity,
  });
}

export function useFileVersion(taskId: string, sha256: string) {
  return useQuery({
    queryKey: queryKeys.replayFile(taskId, sha256),
    queryFn: async ({ signal }) => {
      const path = `/api/analytics/tasks/${encodeURIComponent(taskId)}/files/${encodeURIComponent(sha256)}`;
      return (await fetchBody(path, signal)).text();
    },
    staleTime: Infinity,
  });
}

export function useComparison(taskId: string, otherId: string) {
  return useQuery({
    queryKey: queryKeys.comparison(taskId, otherId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/analytics/tasks/{task_id}/compare', {
          params: { path: { task_id: taskId }, query: { with: otherId } },
          signal,
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data && !haveEnded(state.data) ? COMPARISON_REFRESH_MILLISECONDS : false,
  });
}
