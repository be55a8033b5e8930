import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { api, fetchBody, unwrap } from '@/api/client';
import { queryKeys } from '@/api/query-keys';
import type { Artifact } from '@/api/types';

export function useArtifacts(taskId: string) {
  return useQuery({
    queryKey: queryKeys.artifacts(taskId),
    queryFn: ({ signal }) =>
      unwrap(
        api.GET('/api/tasks/{task_id}/artifacts', {
          params: { path: { task_id: taskId } },
          signal,
        }),
      ),
  });
}

/** Slashes are part of the address; every other character is escaped. */
export function artifactUrl(taskId: string, path: string): string {
  const segments = path.split('/').map(encodeURIComponent).join('/');
  return `/api/tasks/${encodeURIComponent(taskId)}/artifacts/${segments}`;
}

export function useArtifactText(taskId: string, file: Artifact, isWanted: boolean) {
  return useQuery({
    queryKey: queryKeys.artifactText(taskId, file.path, file.sha256),
    queryFn: async ({ signal }) => (await fetchBody(artifactUrl(taskId, file.path), signal)).text(),
    staleTime: Infinity,
    enabled: isWanted,
    placeholderData: (previous, query) =>
      query?.queryKey[3] === file.path ? keepPreviousData(previous) : undefined,
  });
}
