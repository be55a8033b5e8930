import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';

const PAGE_SIZE = 30;

export function useProjects() {
  return useInfiniteQuery({
    queryKey: queryKeys.projects,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET('/api/users/{user_id}/projects', {
          params: {
            path: { user_id: 'me' },
            query: { limit: PAGE_SIZE, ...(pageParam ? { cursor: pageParam } : {}) },
          },
          signal,
        }),
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor ?? null,
  });
}

export function useProject(projectId: string) {
  return useQuery({
    queryKey: queryKeys.projectInfo(projectId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/projects/{project_id}', {
          params: { path: { project_id: projectId } },
          signal,
        }),
      ),
  });
}

export function useCreateProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => unwrap(api.POST('/api/projects', { body: { name } })),
    onSuccess: () => client.invalidateQueries({ queryKey: queryKeys.projects }),
  });
}
