import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';

const PAGE_SIZE = 20;

function atProject(projectId: string) {
  return { params: { path: { project_id: projectId } } };
}

export function useCheckpoints(projectId: string, isBookmarked: boolean) {
  return useInfiniteQuery({
    queryKey: queryKeys.checkpoints(projectId, isBookmarked),
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/checkpoints', {
          params: {
            path: { project_id: projectId },
            query: {
              limit: PAGE_SIZE,
              is_bookmarked: isBookmarked,
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

/** The difference to another checkpoint, or (`to` empty) to the files as they are. */
export function useDiff(projectId: string, checkpointId: string, to: string) {
  return useQuery({
    queryKey: queryKeys.checkpointDiff(projectId, checkpointId, to),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}/checkpoints/{checkpoint_id}/diff', {
          params: {
            path: { project_id: projectId, checkpoint_id: checkpointId },
            query: to ? { to } : {},
          },
          signal,
        }),
      ),
  });
}

/** After any change everything of the project is read anew. */
function useProjectChange<Wanted, Answer>(
  projectId: string,
  change: (wanted: Wanted) => Promise<Answer>,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.project(projectId) }),
  });
}

export function useMakeCheckpoint(projectId: string) {
  return useProjectChange(projectId, (title: string) =>
    unwrap(
      api.POST('/api/projects/{project_id}/checkpoints', {
        ...atProject(projectId),
        body: { title },
      }),
    ),
  );
}

export function useBookmark(projectId: string) {
  return useProjectChange(projectId, (wanted: { checkpointId: string; isBookmarked: boolean }) =>
    unwrap(
      api.PATCH('/api/projects/{project_id}/checkpoints/{checkpoint_id}', {
        params: { path: { project_id: projectId, checkpoint_id: wanted.checkpointId } },
        body: { is_bookmarked: wanted.isBookmarked },
      }),
    ),
  );
}

export function useRestore(projectId: string) {
  return useProjectChange(projectId, (checkpointId: string) =>
    unwrap(
      api.POST('/api/projects/{project_id}/restore', {
        ...atProject(projectId),
        body: { checkpoint_id: checkpointId },
      }),
    ),
  );
}

/** Its answer is another project: the copy. */
export function useFork(projectId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (checkpointId: string) =>
      unwrap(
        api.POST('/api/projects/{project_id}/fork', {
          ...atProject(projectId),
          body: { checkpoint_id: checkpointId },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.projects }),
  });
}
