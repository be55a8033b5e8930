import { useQuery } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';

/** A link that works until it expires; asking for it starts the preview if need be. */
export function usePreviewLink(taskId: string) {
  return useQuery({
    queryKey: queryKeys.preview(taskId),
    queryFn: ({ signal }) =>
      unwrap(
        api.POST('/api/tasks/{task_id}/preview', {
          params: { path: { task_id: taskId } },
          signal,
        }),
      ),
    // The frame keeps its cookie; a new link is fetched on purpose only, or it would reload.
    staleTime: Infinity,
    retry: 1,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}
